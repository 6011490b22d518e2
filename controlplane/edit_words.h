// Words between an edit and the configuration: JSON as the tree that a file would be, what services
// are known by beside their names, and names for what came without one. Pure; any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/service.h"
#include "config/node.h"
#include "controlplane/request.h"

namespace fulcrum {

// Made of views into `json`, whose depth the request's parser bounds.
Node node_of(std::string_view name, const Json& json);

// What it listens on, as in "203.0.113.80:80/tcp", and its marks, as in "mark 80".
std::vector<std::string> keys_of(const VirtualService& service);

// Names that follow from what is named, so that the same commands make the same rings elsewhere.
std::string name_for_service(const VirtualService& service);  // "tcp-203.0.113.80-80", "mark-80"
std::string name_for_real(const Endpoint& endpoint);          // "192.168.10.14-8080"
// `wanted`, or with a number behind it.
std::string unlike(const std::set<std::string_view>& taken, const std::string& wanted);

// 'there is no service "wbe": did you mean "web"?', from the names that there are.
std::string no_such(const std::string& what, std::string_view name,
                    const std::vector<std::string_view>& names);

}  // namespace fulcrum

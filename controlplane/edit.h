// Edits of the running configuration: a list of operations, applied to a copy as one transaction.
// An operation speaks the file's language: what it sets are keys of the file with values as they
// stand there, read by the same table, and what comes out has to stand the same validation. The
// result goes the way of a reload, so an edit can do what a reload can, and nothing else.
//
//     {"operation":"add-service","set":{"vip":"203.0.113.80","port":80,"scheduler":"wlc"}}
//     {"operation":"change-service","service":"web","set":{"affinity":{"timeout":"10m"}}}
//     {"operation":"remove-service","service":{"protocol":"tcp","vip":"203.0.113.80","port":80}}
//     {"operation":"add-real","service":"web","set":{"address":"192.168.10.14","port":8080}}
//     {"operation":"change-real","service":"web","real":"web1","set":{"weight":5}}
//     {"operation":"remove-real","service":{"mark":80},"real":{"address":"192.168.10.14","port":0}}
//     {"operation":"change-timeouts","set":{"udp":"1m"}}
//     {"operation":"remove-services"}
//
// Services are meant by their name, by something that they listen on (port 0: all ports), or by
// their mark; reals by name or by address and port. Who gets no name is given one that follows from
// what it is. An added key replaces what was there, a group merges, null takes an optional group
// or array away. Pure but for the lists of clients, whose files are read again when a service's
// lists change. The helper thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/model/service.h"
#include "controlplane/request.h"

namespace fulcrum {

// Why nothing has changed.
struct EditRefusal {
    std::string code;  // "bad_arguments", "unknown_service", "unknown_real", "service_exists",
                       // "real_exists", "config_invalid"
    std::vector<std::string> sentences;    // at least one
    std::optional<std::size_t> operation;  // which one of the list; none: their outcome
};

struct Edited {
    Config config;                      // to be used only without a refusal
    std::vector<std::string> warnings;  // that the running configuration does not have
    std::optional<EditRefusal> refusal;
};

// `operations`: an array, as above.
Edited edit(const Config& running, const Json& operations);

}  // namespace fulcrum

// What crosses the command socket: one JSON object a line each way. A request names a command and
// its arguments; a reply is a result, or an error with a code for programs and a sentence for
// people.
//
//     {"command":"drain","arguments":{"service":"web","real":"web1"}}
//     {"ok":true,"result":{...}}
//     {"ok":false,"error":{"code":"unknown_real","sentence":"..."}}
//
// Pure: octets to a Request or a sentence, a Reply to octets. Whatever the octets are.
#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/result.h"
#include "controlplane/reply_stream.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;  // members in the order in which we write them

inline constexpr std::size_t request_size_max = std::size_t{64} * 1024;
inline constexpr std::size_t request_depth_max = 32;

struct Request {
    std::string command;
    Json arguments = Json::object();
    bool may_change = true;  // whoever asks
};

struct Reply {
    bool is_ok = false;
    Json result;                           // when ok
    std::string code;                      // when not: "unknown_real"
    std::string sentence;                  // when not
    std::vector<std::string> problems;     // when not, and there are several
    std::optional<std::size_t> operation;  // when not, and one of an edit's is to blame
    std::string line;                      // of a long reply: already rendered, elsewhere
    std::shared_ptr<ReplyStream> stream;   // null: nothing follows; else the connection is its

    static Reply of(Json result);
    static Reply refusal(std::string code, std::string sentence,
                         std::vector<std::string> problems = {});
};

// An argument's text; empty when it is absent.
std::string text_of(const Json& arguments, const char* name);

// `line` without its line break.
Result<Request> parse_request(std::string_view line);

// With its line break.
std::string render(const Reply& reply);

}  // namespace fulcrum

// The protocol's octets. nlohmann's parser is asked not to throw, and never sees a text that is
// larger or deeper than the limits.
#include "controlplane/request.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

// How deep brackets nest, outside of strings; whether they match is the parser's business.
std::size_t depth_of(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool is_in_string = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char letter = text[at];
        if (is_in_string) {
            at += letter == '\\' ? 1 : 0;  // what is escaped ends no string
            is_in_string = letter != '"';
        } else if (letter == '"') {
            is_in_string = true;
        } else if (letter == '[' || letter == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((letter == ']' || letter == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace

Reply Reply::of(Json result) {
    Reply reply;
    reply.is_ok = true;
    reply.result = std::move(result);
    return reply;
}

Reply Reply::refusal(std::string code, std::string sentence, std::vector<std::string> problems) {
    Reply reply;
    reply.code = std::move(code);
    reply.sentence = std::move(sentence);
    reply.problems = std::move(problems);
    return reply;
}

std::string text_of(const Json& arguments, const char* name) {
    return arguments.value(name, std::string{});
}

Result<Request> parse_request(std::string_view line) {
    if (line.size() > request_size_max) {
        return Error{"the request is longer than " + std::to_string(request_size_max) + " octets"};
    }
    if (depth_of(line) > request_depth_max) {
        return Error{"the request nests deeper than " + std::to_string(request_depth_max) +
                     " levels"};
    }
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
        return Error{"the request is no JSON object on one line"};
    }
    Request request;
    for (auto& [key, value] : json.items()) {
        if (key == "command" && value.is_string()) {
            request.command = value.get<std::string>();
        } else if (key == "arguments" && value.is_object()) {
            request.arguments = std::move(value);
        } else {
            return Error{
                R"(the request holds more than "command" (text) and "arguments" (object))"};
        }
    }
    if (request.command.empty()) {
        return Error{R"(the request names no "command")"};
    }
    return request;
}

std::string render(const Reply& reply) {
    if (!reply.line.empty()) {
        return reply.line;
    }
    Json json;
    json["ok"] = reply.is_ok;
    if (reply.is_ok) {
        json["result"] = reply.result;
    } else {
        json["error"]["code"] = reply.code;
        json["error"]["sentence"] = reply.sentence;
        if (!reply.problems.empty()) {
            json["error"]["problems"] = reply.problems;
        }
        if (reply.operation) {
            json["error"]["operation"] = *reply.operation;
        }
    }
    // A file name or a server's answer may hold octets that are no UTF-8: shown as U+FFFD.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fulcrum

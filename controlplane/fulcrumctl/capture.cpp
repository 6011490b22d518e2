// Words to a filter, a filter to a file.
#include "controlplane/fulcrumctl/capture.h"

#include <pcap/pcap.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace fulcrum {
namespace {

constexpr int snapshot_length = 65'535;

std::string all_of(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const std::string& part : parts) {
        text.append(text.empty() ? "" : between).append("(").append(part).append(")");
    }
    return text;
}

// "80", "8000-8099" or "any", of a listing.
std::string ports_of(const Json& port) {
    const std::string text = port.is_string() ? port.get<std::string>() : port.dump();
    if (text == "any") {
        return {};
    }
    return (text.find('-') == std::string::npos ? " port " : " portrange ") + text;
}

std::string listener_expression(const Json& listener) {
    const auto vip = listener.at("vip").get<std::string>();
    const std::string ports = ports_of(listener.at("port"));
    const auto protocol = listener.at("protocol").get<std::string>();
    return (vip.find('/') == std::string::npos ? "host " : "net ") + vip + " and " + protocol +
           ports;
}

// Null: there is none of that name.
const Json* find_named(const Json& rows, const std::string& name) {
    const auto found =
        std::ranges::find_if(rows, [&](const Json& row) { return row.at("name") == name; });
    return found == rows.end() ? nullptr : &*found;
}

Result<std::string> service_expression(const std::string& name, const Json& listing) {
    const Json* const service = find_named(listing.at("services"), name);
    if (service == nullptr) {
        return Error{"there is no service \"" + name + "\""};
    }
    std::vector<std::string> listeners;
    for (const Json& listener : service->value("listeners", Json::array({*service}))) {
        listeners.push_back(listener_expression(listener));
    }
    return all_of(listeners, " or ");
}

// Its address alone: in a tunnel there are no ports of its own to see.
Result<std::string> real_expression(const CaptureWords& words, const Json& listing) {
    for (const Json& real : listing.at("reals")) {
        if (real.at("service") == words.service && real.at("name") == words.real) {
            return "host " + real.at("address").get<std::string>();
        }
    }
    return Error{"service \"" + words.service + "\" has no real \"" + words.real + "\""};
}

class OutputFile {
  public:
    explicit OutputFile(const std::string& path)
        : file_{path == "-" ? stdout : std::fopen(path.c_str(), "wb")} {}
    ~OutputFile() {
        if (file_ != nullptr && file_ != stdout) {
            std::fclose(file_);
        }
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    bool is_open() const { return file_ != nullptr; }
    // At once: who looks on sees what there is.
    bool write(std::string_view octets) {
        return std::fwrite(octets.data(), 1, octets.size(), file_) == octets.size() &&
               std::fflush(file_) == 0;
    }

  private:
    std::FILE* file_;
};

Result<Json> ask_listing(const std::string& socket_path, const char* command) {
    Result<Json> reply = ask_director(socket_path, {{"command", command}});
    if (reply && !reply->value("ok", false)) {
        return Error{"the director does not list its " + std::string{command}};
    }
    return reply ? Result<Json>{reply->at("result")} : reply;
}

}  // namespace

Result<std::string> expression_of(const CaptureWords& words, const std::string& socket_path,
                                  AskListing ask) {
    std::vector<std::string> parts;
    if (!words.expression.empty()) {
        parts.push_back(words.expression);
    }
    if (!words.client.empty()) {
        parts.push_back("host " + words.client);
    }
    if (!words.real.empty() && words.service.empty()) {
        return Error{"a real is named only within a service: name that too"};
    }
    if (!words.service.empty()) {
        const bool is_of_real = !words.real.empty();
        const Result<Json> listing = ask(socket_path, is_of_real ? "reals" : "services");
        if (!listing) {
            return listing.error();
        }
        Result<std::string> part = is_of_real ? real_expression(words, *listing)
                                              : service_expression(words.service, *listing);
        if (!part) {
            return part.error();
        }
        parts.push_back(std::move(*part));
    }
    return all_of(parts, " and ");
}

Result<std::string> compile_expression(const std::string& expression) {
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> machine{
        pcap_open_dead(DLT_EN10MB, snapshot_length), pcap_close};
    bpf_program program{};
    if (pcap_compile(machine.get(), &program, expression.c_str(), /*optimize=*/1,
                     PCAP_NETMASK_UNKNOWN) != 0) {
        return Error{"the filter \"" + expression + "\" is refused: " + pcap_geterr(machine.get())};
    }
    std::string text = std::to_string(program.bf_len);
    for (unsigned at = 0; at < program.bf_len; ++at) {
        const bpf_insn& instruction = program.bf_insns[at];
        for (const auto& [between, number] : {std::pair{",", bpf_u_int32{instruction.code}},
                                              {" ", bpf_u_int32{instruction.jt}},
                                              {" ", bpf_u_int32{instruction.jf}},
                                              {" ", instruction.k}}) {
            text.append(between).append(std::to_string(number));
        }
    }
    pcap_freecode(&program);
    return text;
}

Result<Json> capture(const CaptureWords& words, const std::string& socket_path) {
    const Result<std::string> expression = expression_of(words, socket_path, ask_listing);
    if (!expression) {
        return expression.error();
    }
    Json arguments = Json::object();
    if (!expression->empty()) {
        const Result<std::string> filter = compile_expression(*expression);
        if (!filter) {
            return filter.error();
        }
        arguments["filter"] = *filter;
    }
    for (const auto& [name, count] : {std::pair{"frames", words.packets},
                                      {"seconds", words.seconds},
                                      {"octets", words.octets}}) {
        if (count != 0) {
            arguments[name] = count;
        }
    }
    if (words.file == "-" && isatty(STDOUT_FILENO) == 1) {
        return Error{"a capture is nothing for a terminal: name a file"};
    }
    OutputFile file{words.file};
    if (!file.is_open()) {
        return Error{"cannot open \"" + words.file +
                     "\": " + std::generic_category().message(errno)};
    }
    return stream_from_director(socket_path, {{"command", "capture"}, {"arguments", arguments}},
                                [&](std::string_view octets) { return file.write(octets); });
}

}  // namespace fulcrum

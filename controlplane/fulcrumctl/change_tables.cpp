// Replies of commands that change something, or would.
#include <ctime>

#include "controlplane/fulcrumctl/table_parts.h"
#include "controlplane/fulcrumctl/tables.h"

namespace fulcrum {
namespace {

// Of a reload and of an edit.
std::string show_change(const Json& result) {
    std::string text =
        result.contains("epoch") ? "epoch " + cell(result, "epoch") + " is in force\n" : "";
    for (const Json& change : result.at("changes")) {
        text += "  " + text_of(change) + "\n";
    }
    if (result.at("changes").empty()) {
        text += "  nothing has changed\n";
    }
    for (const auto& [service, count] : result.at("slots_moved").items()) {
        text += "  service \"" + printable(service) + "\": " + count.dump() + " slots moved\n";
    }
    for (const Json& warning : result.value("warnings", Json::array())) {
        text += "warning: " + text_of(warning) + "\n";
    }
    return text;
}

std::string time_of(std::time_t seconds) {
    std::tm local{};
    localtime_r(&seconds, &local);
    char text[32];
    return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local)};
}

}  // namespace

std::string show_reload(const Json& result) {
    std::string text = show_change(result);
    for (const Json& dropped : result.value("dropped", Json::array())) {
        text += "undone, as the file does not say so: " + text_of(dropped) + "\n";
    }
    return text;
}

std::string show_plan(const Json& result) {
    std::string text = "a reload of this file would do the following; nothing has been changed\n";
    text += show_change(result);
    for (const auto& [real, count] : result.at("sessions_left").items()) {
        text += "  real \"" + printable(real) + "\" leaves " + count.dump() +
                " sessions, which go by on_removal\n";
    }
    return text;
}

std::string show_history(const Json& result) {
    Table table{{{"NUMBER", Side::right}, {"SINCE"}, {"CHANGES", Side::right}, {"FROM"}}};
    for (const Json& past : result.at("configurations")) {
        table.add({cell(past, "number"), time_of(past.value("since", std::time_t{0})),
                   cell(past, "changes"), cell(past, "origin")});
    }
    return table.text();
}

std::string show_edit(const Json& result) {
    const std::size_t count = result.value("not_in_file", Json::array()).size();
    return show_change(result) +
           (count == 0   ? "note: what runs is what the file says\n"
            : count == 1 ? "note: 1 change is not in the file\n"
                         : "note: " + std::to_string(count) + " changes are not in the file\n");
}

std::string show_save(const Json& result) {
    return cell(result, "file") + " says what runs; the file before is " +
           cell(result, "old_file") + "\n";
}

std::string show_event(const Json& event) {
    const std::string service = event.value("service", std::string{});
    const std::string real = event.value("real", std::string{});
    std::string line = cell(event, "time") + "  " + cell(event, "number") + "  ";
    line += std::string{event.at("event")} + (service.empty() ? "" : "  ") + service;
    line += (real.empty() ? "" : "/") + real + ": " + std::string{event.at("sentence")};
    return printable(line) + "\n";
}

std::string show_zero(const Json& result) {
    return "counters of " + cell(result, "services") + " services begin at zero\n";
}

std::string show_log_level(const Json& result) {
    return "the director logs what is " + cell(result, "level") + " or more important\n";
}

std::string show_drain(const Json& result) {
    return cell(result, "service") + "/" + cell(result, "real") + " is drained as of epoch " +
           cell(result, "epoch") + "; " + cell(result, "sessions") + " sessions live on\n";
}

std::string show_undrain(const Json& result) {
    return cell(result, "service") + "/" + cell(result, "real") +
           " is no longer drained as of epoch " + cell(result, "epoch") + "\n";
}

}  // namespace fulcrum

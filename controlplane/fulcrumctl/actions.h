// What each command does once the command line has been read: asks a director and prints its reply,
// or looks at a file. Each returns the exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/fulcrumctl/capture.h"
#include "controlplane/fulcrumctl/import.h"
#include "controlplane/fulcrumctl/route_export.h"
#include "controlplane/fulcrumctl/tables.h"

namespace fulcrum {

enum ExitStatus : int { done_status = 0, failed = 1, misused = 2, unreachable = 3 };

struct Options {
    std::string socket = "/run/fulcrum/control.sock";
    bool is_json = false;
    std::string target;  // SERVICE/REAL, or a file
    std::string service;
    std::string real;
    std::string client;
    unsigned limit = 0;
    std::string protocol;
    std::string source;
    std::string destination;
    std::string from;
    std::string flags;
    unsigned size = 0;
    std::string deadline;  // as written
    std::string then;
    bool shows_drops = false;
    CaptureWords capture;
    ImportWords import;
    RouteWords routes;
    std::vector<std::string> words;  // KEY=VALUE
    std::string level;
    unsigned weight = 0;
    unsigned number = 0;
    unsigned every_s = 0;
    std::optional<std::uint64_t> since;
    bool ends_at_latest = false;
};

using Show = std::string (*)(const Json& result);

void print(const std::string& text);
void complain(const std::string& sentence);

int ask(const Options& options, const std::string& command, const Json& arguments, Show show);
int ask_drain(const Options& options, const std::string& command, Show show);
// An edit of one operation. `keys`: where the table has those that the words set; null: none are.
int ask_edit(const Options& options, const char* operation, const char* keys);
int ask_save(const Options& options);
int ask_zero(const Options& options);
int ask_walk(const Options& options, const std::string& command, Show show);
int ask_reals(const Options& options);
int ask_explain(const Options& options);
int ask_capture(const Options& options);
int ask_events(const Options& options);

// What a routing daemon beside the director has to be told: of the file, or of what runs.
int export_routes(const Options& options);

// Need no director.
int check(const Options& options);
int import(const Options& options);

// Prints what fits behind these words, for a shell.
int complete(const CLI::App& app, const Options& options, const std::vector<std::string>& words);

}  // namespace fulcrum

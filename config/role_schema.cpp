// The rows. Words stand in the order of the enumerators that they mean.
#include "config/role_schema.h"

#include <array>
#include <string>

namespace fulcrum {
namespace {

using std::string_view;
using Target = SchemaTarget;
using enum Presence;

constexpr std::array<string_view, 3> fence_words{"none", "fence-agent", "external"};
constexpr std::array fence_styles{FenceStyle::none, FenceStyle::fence_agent, FenceStyle::external};

constexpr ValueType group{ValueKind::group};
constexpr ValueType boolean{ValueKind::boolean};
constexpr ValueType name{ValueKind::name, 1, limits::name_length_max};
constexpr ValueType host_address{ValueKind::host_address};
constexpr ValueType file_path{ValueKind::file_path};

template <typename T>
T number_as(const Value& value) {
    return static_cast<T>(value.number);  // the type's range has been checked
}
std::string string_of(const Value& value) { return std::string{value.text}; }
std::chrono::milliseconds length_of(const Value& value) {
    return std::chrono::milliseconds{value.number};
}
std::uint32_t seconds_of(const Value& value) {
    return static_cast<std::uint32_t>(value.number / 1'000);
}
RoleGroup& group_of(Target& target) { return target.config.groups.back(); }
AdvertPath& path_of(Target& target) { return group_of(target).paths.back(); }
TrackedThing& thing_of(Target& target) { return group_of(target).track.back(); }

// clang-format off
constexpr SchemaKey keys[] = {
    {"groups", list(0, limits::role_groups_max), optional_in_words, "none: this director holds all, always",
     "what is held by one of two directors at a time, see below",
     [](Target& t, const Value& v) { t.config.groups.push_back({.place = v.place}); }},
    {"groups[].name", name, required, "", "unique; what status, log and metrics call it",
     [](Target& t, const Value& v) { group_of(t).name = string_of(v); }},
    {"groups[].id", integer(1, 255), required, "",
     "VRRP's virtual router ID: unique on its links but for the directors of the group",
     [](Target& t, const Value& v) { group_of(t).id = number_as<std::uint8_t>(v); }},
    {"groups[].priority", integer(1, 255), optional, "100",
     "the greatest is active; 255: the one to whom the addresses belong, which waits for nobody",
     [](Target& t, const Value& v) { group_of(t).priority = number_as<std::uint8_t>(v); }},
    {"groups[].advert", duration(10, 255'000), optional, "\"100ms\"",
     "how often the active director says that it lives; after three times that without a word, and a "
     "little more for lesser priorities, the next one takes over",
     [](Target& t, const Value& v) { group_of(t).advert = length_of(v); }},
    {"groups[].version", integer(2, 3), optional, "3", "of VRRP: 3 (RFC 9568), or 2 (RFC 3768) towards old peers",
     [](Target& t, const Value& v) { group_of(t).version = number_as<std::uint8_t>(v); }},
    {"groups[].preempt", boolean, optional, "false",
     "whether a director with a greater priority takes over from one that is active and sound",
     [](Target& t, const Value& v) { group_of(t).preempt = v.number != 0; }},
    {"groups[].preempt_delay", duration(0, 3'600'000), optional, "\"0s\"", "with `preempt`: not before it has been ready for so long",
     [](Target& t, const Value& v) { group_of(t).preempt_delay = length_of(v); }},
    {"groups[].vips", array_of({ValueKind::vip}, 0, 256), optional_in_words, "in the only group: all",
     "the VIPs that it holds; one that no group has is held always",
     [](Target& t, const Value& v) { group_of(t).vips.push_back(v.prefix); }},
    {"groups[].addresses", array_of({ValueKind::host_prefix}, 0, 64), optional_in_words, "none",
     "other addresses that float with them, as the reals' gateway does, each on the port whose network it is in",
     [](Target& t, const Value& v) { group_of(t).addresses.push_back(v.prefix); }},

    {"groups[].paths", list(0, 8), optional_in_words, "none: there is no other director to agree with",
     "where the directors hear each other; one is lost: an alarm; all are lost: the peer is taken for dead",
     [](Target& t, const Value& v) { group_of(t).paths.push_back({.place = v.place}); }},
    {"groups[].paths[].port", name, required, "", "one of `ports`",
     [](Target& t, const Value& v) { path_of(t).port = string_of(v); }},
    {"groups[].paths[].ipv6", boolean, optional, "false",
     "adverts go over IPv6 (and carry the group's IPv6 addresses), in place of IPv4",
     [](Target& t, const Value& v) { path_of(t).is_ipv6 = v.number != 0; }},
    {"groups[].paths[].peer", host_address, optional_in_words, "all of the link, by multicast",
     "the other director's address there: where multicast does not pass, as in clouds",
     [](Target& t, const Value& v) { path_of(t).peer = v.prefix.address; }},
    {"groups[].paths[].source", host_address, optional_in_words, "the port's first; with `ipv6` and without `peer` its link-local one",
     "one of the port's addresses, from which adverts go out",
     [](Target& t, const Value& v) { path_of(t).source = v.prefix.address; }},

    {"groups[].track", list(0, 16), optional_in_words, "none", "what a director needs to be active",
     [](Target& t, const Value& v) { group_of(t).track.push_back({.place = v.place}); }},
    {"groups[].track[].port", name, optional_in_words, "none", "the port's link",
     [](Target& t, const Value& v) { thing_of(t).port = string_of(v); }},
    {"groups[].track[].route", host_address, optional_in_words, "none",
     "a way to this address: a route, whose next hop has answered",
     [](Target& t, const Value& v) { thing_of(t).route = v.prefix.address; }},
    {"groups[].track[].command", array_of(text(1, 1'024), 0, 32), optional_in_words, "none",
     "a program with its arguments, called without a shell, that ends with 0",
     [](Target& t, const Value& v) { thing_of(t).command.push_back(string_of(v)); }},
    {"groups[].track[].interval", duration(100, 3'600'000), optional, "\"1s\"", "between two calls of the command",
     [](Target& t, const Value& v) { thing_of(t).interval = length_of(v); }},
    {"groups[].track[].timeout", duration(10, 3'600'000), optional, "\"1s\"", "then it is killed and has failed",
     [](Target& t, const Value& v) { thing_of(t).timeout = length_of(v); }},
    {"groups[].track[].rise", integer(1, 100), optional, "1", "successes in a row until it counts as sound",
     [](Target& t, const Value& v) { thing_of(t).rise = number_as<std::uint32_t>(v); }},
    {"groups[].track[].fall", integer(1, 100), optional, "1", "failures in a row until it counts as lost",
     [](Target& t, const Value& v) { thing_of(t).fall = number_as<std::uint32_t>(v); }},
    {"groups[].track[].weight", integer(0, 253), optional, "0",
     "what its loss takes from the priority; 0: without it the director gives the group up",
     [](Target& t, const Value& v) { thing_of(t).weight = number_as<std::uint32_t>(v); }},

    {"groups[].witness", host_address, optional_in_words, "none",
     "a neighbour, as the gateway: a director that hears nothing of its peer is active only while that answers",
     [](Target& t, const Value& v) { group_of(t).witness = v.prefix.address; }},

    {"groups[].fence", group, optional_in_words, "none: it has to be said", "who makes sure that a silent peer is dead",
     [](Target& t, const Value&) { group_of(t).fence.style = FenceStyle::unsaid; }},
    {"groups[].fence.style", one_of(fence_words), required, "",
     "`none`: nobody; `fence-agent`: an agent of fence-agents; `external`: a plugin of cluster-glue",
     [](Target& t, const Value& v) { group_of(t).fence.style = fence_styles[number_as<std::size_t>(v)]; }},
    {"groups[].fence.command", file_path, optional_in_words, "none", "the agent or plugin, called without a shell",
     [](Target& t, const Value& v) { group_of(t).fence.command = string_of(v); }},
    {"groups[].fence.node", name, optional_in_words, "none", "the other director, as the command knows it",
     [](Target& t, const Value& v) { group_of(t).fence.node = string_of(v); }},
    {"groups[].fence.options", array_of(text(3, 1'024), 0, 64), optional_in_words, "none",
     "what else it has to know, as in \"ip=192.0.2.9\"",
     [](Target& t, const Value& v) { group_of(t).fence.options.push_back(string_of(v)); }},
    {"groups[].fence.options_file", file_path, optional_in_words, "none", "a file with further options, a line each: secrets, so nobody but its owner may read it",
     [](Target& t, const Value& v) { group_of(t).fence.options_file = string_of(v); }},
    {"groups[].fence.timeout", whole_seconds(1, 3'600), optional, "\"1m\"", "of one attempt; then it is killed and has failed",
     [](Target& t, const Value& v) { group_of(t).fence.timeout_s = seconds_of(v); }},
    {"groups[].fence.retry", whole_seconds(1, 3'600), optional, "\"5s\"", "between two attempts",
     [](Target& t, const Value& v) { group_of(t).fence.retry_s = seconds_of(v); }},
    {"groups[].fence.delay", whole_seconds(0, 300), optional, "\"0s\"",
     "before the first attempt: on one of the directors, or both would shoot at once",
     [](Target& t, const Value& v) { group_of(t).fence.delay_s = seconds_of(v); }},
};
// clang-format on

}  // namespace

std::span<const SchemaKey> role_keys() { return keys; }

}  // namespace fulcrum

// One function a group of the schema, one line a key.
#include "config/role_writer.h"

#include <string>

namespace fulcrum {
namespace {

std::string block_in_words(const IpPrefix& prefix) {
    return prefix.is_single() ? to_string(prefix.address) : to_string(prefix);
}
std::string as_is(const std::string& text) { return text; }

void write_address_if_any(GroupWriter& out, std::string_view name, const IpAddress& address) {
    if (!address.is_unspecified()) {
        out.text(name, to_string(address));
    }
}

void write_path(GroupWriter& out, const AdvertPath& path) {
    out.text("port", path.port);
    out.number("ipv6", path.is_ipv6 ? 1 : 0);
    write_address_if_any(out, "peer", path.peer);
    write_address_if_any(out, "source", path.source);
}

void write_thing(GroupWriter& out, const TrackedThing& thing) {
    out.text_if_any("port", thing.port);
    write_address_if_any(out, "route", thing.route);
    out.texts("command", thing.command, as_is);
    out.number("interval", thing.interval.count());
    out.number("timeout", thing.timeout.count());
    out.number("rise", thing.rise);
    out.number("fall", thing.fall);
    out.number("weight", thing.weight);
}

void write_fence(GroupWriter& out, const Fence& fence) {
    if (fence.style != FenceStyle::unsaid) {
        out.number("style", static_cast<std::int64_t>(fence.style) - 1);
    }
    out.text_if_any("command", fence.command);
    out.text_if_any("node", fence.node);
    out.texts("options", fence.options, as_is);
    out.text_if_any("options_file", fence.options_file);
    out.seconds("timeout", fence.timeout_s);
    out.seconds("retry", fence.retry_s);
    out.seconds("delay", fence.delay_s);
}

void write_group(GroupWriter& out, const RoleGroup& group) {
    out.text("name", group.name);
    out.number("id", group.id);
    out.number("priority", group.priority);
    out.number("advert", group.advert.count());
    out.number("version", group.version);
    out.number("preempt", group.preempt ? 1 : 0);
    out.number("preempt_delay", group.preempt_delay.count());
    out.texts("vips", group.vips, block_in_words);
    out.texts("addresses", group.addresses, [](const IpPrefix& each) { return to_string(each); });
    out.list("paths", group.paths, write_path);
    out.list("track", group.track, write_thing);
    write_address_if_any(out, "witness", group.witness);
    out.group_if_any("fence", [&](GroupWriter& inner) { write_fence(inner, group.fence); });
}

}  // namespace

void write_role_groups(GroupWriter& out, const Config& config) {
    out.list("groups", config.groups, write_group);
}

}  // namespace fulcrum

// Groups are matched by their places, which equal elections have in common.
#include "controlplane/roles/role_diff.h"

#include <algorithm>

#include "config/value_type.h"

namespace fulcrum {
namespace {

std::string in_words(const std::vector<IpPrefix>& addresses, const char* if_none) {
    std::string text;
    for (const IpPrefix& each : addresses) {
        text.append(text.empty() ? "" : ", ")
            .append(each.is_single() ? to_string(each.address) : to_string(each));
    }
    return text.empty() ? if_none : text;
}

std::string length_of(std::chrono::milliseconds length) {
    return describe_duration(length.count());
}

void compare_group(const RoleGroup& before, const RoleGroup& after,
                   std::vector<std::string>& changes) {
    const std::string subject = "group \"" + after.name + "\": ";
    const auto say = [&](const char* what, const std::string& was, const std::string& is) {
        if (was != is) {
            changes.push_back(subject + what + " " + was + " becomes " + is);
        }
    };
    const auto say_changed = [&](const char* what, bool is_equal) {
        if (!is_equal) {
            changes.push_back(subject + what + " changed");
        }
    };
    say("priority", std::to_string(before.priority), std::to_string(after.priority));
    say("advert", length_of(before.advert), length_of(after.advert));
    say("preempt", before.preempt ? "true" : "false", after.preempt ? "true" : "false");
    say("preempt_delay", length_of(before.preempt_delay), length_of(after.preempt_delay));
    say("vips", in_words(before.vips, "all"), in_words(after.vips, "all"));
    say("addresses", in_words(before.addresses, "none"), in_words(after.addresses, "none"));
    say("witness", before.witness.is_unspecified() ? "none" : to_string(before.witness),
        after.witness.is_unspecified() ? "none" : to_string(after.witness));
    say_changed("track", before.track == after.track);
    say_changed("fence", before.fence == after.fence);
}

}  // namespace

bool have_equal_elections(const Config& before, const Config& after) {
    return std::equal(before.groups.begin(), before.groups.end(), after.groups.begin(),
                      after.groups.end(), [](const RoleGroup& was, const RoleGroup& is) {
                          return was.name == is.name && was.id == is.id &&
                                 was.version == is.version && was.paths == is.paths;
                      });
}

void compare_groups(const Config& before, const Config& after, std::vector<std::string>& changes) {
    for (std::size_t i = 0; i < before.groups.size() && i < after.groups.size(); ++i) {
        compare_group(before.groups[i], after.groups[i], changes);
    }
}

}  // namespace fulcrum

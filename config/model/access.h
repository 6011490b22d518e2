// Whom a service lets in, and how often: prefixes of clients that are allowed or denied, as the
// operator wrote them, and the same as workers ask. The longest prefix that a client lies in
// decides; a client in none is let in, unless anybody is allowed by name. A list of a million is a
// few binary steps away: prefixes are laid out as the stretches of addresses for which the answer
// is the same. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model/address.h"
#include "config/model/client_prefix.h"

namespace fulcrum {

struct AccessRules {
    std::vector<IpPrefix> allow;  // those of its file too
    std::vector<IpPrefix> deny;

    bool is_empty() const { return allow.empty() && deny.empty(); }

    friend bool operator==(const AccessRules&, const AccessRules&) = default;
};

// Of one IP version.
class AccessStretches {
  public:
    AccessStretches(const AccessRules& rules, bool is_v4);

    bool admits(const ClientPrefix& client) const;
    std::size_t count() const { return starts_.size(); }

    using Address = std::pair<std::uint64_t, std::uint64_t>;  // as of a ClientPrefix

  private:
    void begin(const Address& at, bool is_admitted);

    std::vector<Address> starts_;  // answers take turns from one to the next
    bool is_first_admitted_;
};

class AccessMap {
  public:
    // A prefix that is both allowed and denied is denied.
    explicit AccessMap(const AccessRules& rules) : v4_{rules, true}, v6_{rules, false} {}

    bool admits(const ClientPrefix& client) const {
        return (client.is_v4() ? v4_ : v6_).admits(client);
    }
    std::size_t stretch_count() const { return v4_.count() + v6_.count(); }
    // What one made of so many prefixes takes at most.
    static std::size_t size_for(std::size_t prefix_count) {
        return (2 * prefix_count + 2) * sizeof(AccessStretches::Address);
    }

  private:
    AccessStretches v4_;
    AccessStretches v6_;
};

// Which clients may open sessions.
struct Access {
    std::vector<IpPrefix> allow;
    std::vector<IpPrefix> deny;
    std::string allow_file;
    std::string deny_file;
    std::shared_ptr<const AccessRules> rules;  // all of these; null: everybody may

    friend bool operator==(const Access& a, const Access& b) {
        return a.allow_file == b.allow_file && a.deny_file == b.deny_file && a.allow == b.allow &&
               a.deny == b.deny &&
               (a.rules == b.rules ||
                (a.rules != nullptr && b.rules != nullptr && *a.rules == *b.rules));
    }
};

// How much may be asked of a service in a second; 0: any amount.
struct RateLimits {
    std::uint32_t client_sessions_per_s = 0;  // new ones of one client
    std::uint32_t client_packets_per_s = 0;
    std::uint32_t sessions_per_s = 0;  // of all clients together
    std::uint32_t packets_per_s = 0;
    std::uint8_t prefix = 32;  // clients alike in so many leading bits are one
    std::uint8_t prefix6 = 64;

    bool has_clients() const { return client_sessions_per_s != 0 || client_packets_per_s != 0; }
    bool has_packets() const { return client_packets_per_s != 0 || packets_per_s != 0; }
    bool has_any() const { return has_clients() || sessions_per_s != 0 || packets_per_s != 0; }
    // As of a ClientPrefix.
    std::uint8_t length_of(bool is_v4) const {
        return is_v4 ? static_cast<std::uint8_t>(96 + prefix) : prefix6;
    }

    friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

}  // namespace fulcrum

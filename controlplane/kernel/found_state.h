// What a device was like before we took it, and its text on disk, so that a director that comes
// after a crash gives back what the first one found and not what the first one made of it. Pure.
//
//   fulcrum found state 1
//   boot 5e2f...            with the two next: the very device, not one of the same name that
//   namespace 12            came later
//   index 7
//   up yes
//   promiscuous no
//   allmulti no
//   mtu 1500
//   disable_ipv6 0          absent where the kernel has no IPv6
//   feature rx-gro on       a line for each that we may change
//   ipv6 2001:db8::5/64 128 a line for each permanent address, and its flags
//   end
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/kernel/ethtool_features.h"

namespace fulcrum {

struct DeviceIdentity {
    std::string boot;                     // the kernel's boot id
    std::uint64_t network_namespace = 0;  // its cookie, never used twice in one boot
    int interface = 0;                    // the index, never used twice in one namespace

    friend bool operator==(const DeviceIdentity&, const DeviceIdentity&) = default;
};

struct FoundIpv6Address {
    std::array<std::uint8_t, 16> address{};
    std::uint8_t length = 128;
    std::uint32_t flags = 0;  // IFA_F_*

    friend bool operator==(const FoundIpv6Address&, const FoundIpv6Address&) = default;
};

struct FoundState {
    DeviceIdentity identity;
    bool is_up = false;
    bool is_promiscuous = false;
    bool is_allmulti = false;
    std::uint32_t mtu = 0;
    std::optional<std::string> disable_ipv6;
    DeviceFeatures features;
    std::vector<FoundIpv6Address> ipv6_addresses;

    friend bool operator==(const FoundState&, const FoundState&) = default;
};

std::string encode(const FoundState& state);

// Nothing when the text is not whole (a crash while it was written: nothing had been changed yet)
// or not ours.
std::optional<FoundState> decode_found_state(std::string_view text);

}  // namespace fulcrum

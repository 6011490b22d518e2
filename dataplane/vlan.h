// 802.1Q tags (IEEE 802.1Q, 9.6): they lie between the MAC addresses and the Ethernet type, and
// within the director no frame has one. It is taken out before a packet is classified, and put in
// when the packet leaves, by moving the MAC addresses: the frame begins four octets later or
// earlier, and all behind it stays where it is. Of NICs nothing is asked but to let them through
// (nic_filter.h). Pure; worker side.
//
//   ┌ destination 6 ┬ source 6 ┬ 8100 2 ┬ priority 4 bits, VLAN 12 bits ┬ Ethernet type 2 ┬ ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/headers.h"

namespace fulcrum {

struct VlanTag {
    be16 ethertype;
    be16 control;

    std::uint16_t vlan() const { return control.host() & 0x0FFF; }  // 0: a priority alone
};
static_assert(sizeof(VlanTag) == 4 && alignof(VlanTag) == 1);

inline constexpr std::size_t tagged_header_size = sizeof(EthernetHeader) + sizeof(VlanTag);

// Of a frame whose Ethernet type says that it has one, and that holds tagged_header_size octets.
inline const VlanTag& vlan_tag_of(const std::uint8_t* frame) {
    return *reinterpret_cast<const VlanTag*>(frame + 2 * sizeof(MacAddress));
}

// The frame's new first octet.
inline std::uint8_t* take_tag_out(std::uint8_t* frame) {
    std::uint8_t* const shorter = frame + sizeof(VlanTag);
    std::memmove(shorter, frame, 2 * sizeof(MacAddress));
    return shorter;
}

// `frame` is its new first octet: what follows the tag begins sizeof(VlanTag) behind it.
inline void put_tag_in(std::uint8_t* frame, std::uint16_t vlan) {
    std::memmove(frame, frame + sizeof(VlanTag), 2 * sizeof(MacAddress));
    const VlanTag tag{ethertype::vlan, be16{vlan}};
    std::memcpy(frame + 2 * sizeof(MacAddress), &tag, sizeof(tag));
}

}  // namespace fulcrum

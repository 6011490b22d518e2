// Adverts as octets. The vectors were captured from keepalived 2.2.7 in a network namespace
// (tests/e2e/roles_test.py speaks with it); the rest follows from the RFCs' pictures.
#include "controlplane/roles/vrrp_packet.h"

#include <gtest/gtest.h>

#include <string>

namespace fulcrum {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets from_hex(const std::string& digits) {
    Octets octets;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        octets.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(at, 2), nullptr, 16)));
    }
    return octets;
}

Ipv4Address at(std::uint8_t octet) { return Ipv4Address::of(10, 9, 0, octet); }
IpAddress six(const char* text) { return parse_ip_address(text).value(); }

const AdvertEnds ends4{at(1), Ipv4Address::of(224, 0, 0, 18)};
const AdvertEnds ends6{six("fe80::1"), six("ff02::12")};

AdvertFault fault_of(const Octets& octets, const AdvertEnds& ends = ends4) {
    const auto read = read_advert(octets, ends);
    const auto* fault = std::get_if<AdvertFault>(&read);
    return fault == nullptr ? AdvertFault::count : *fault;
}

Advert advert4(std::uint8_t version) {
    return {.version = version,
            .id = 51,
            .priority = 150,
            .interval = std::chrono::seconds{2},
            .addresses = {at(80), at(81)}};
}

TEST(VrrpPacket, IsLaidOutAsVersionThreeSays) {
    const Octets octets = write_advert(advert4(3), ends4);
    // By hand: 0x3133 + 0x9602 + 0x00C8 + addresses 0x0A09 0x0050 0x0A09 0x0051, and the
    // pseudo-header 0x0A09 0x0001 0xE000 0x0012, 112, 16 make 0x1C74C, folded 0xC74D, turned 0x38B2
    const Octets wanted{0x31, 51, 150, 2, 0, 200, 0x38, 0xB2, 10, 9, 0, 80, 10, 9, 0, 81};
    EXPECT_EQ(octets, wanted);
    EXPECT_EQ(std::get<Advert>(read_advert(octets, ends4)), advert4(3));
}

TEST(VrrpPacket, IsLaidOutAsVersionTwoSays) {
    const Octets octets = write_advert(advert4(2), ends4);
    // 0x2133 + 0x9602 + 0x0002 + 0x0A09 + 0x0050 + 0x0A09 + 0x0051 = 0xCBEA, turned 0x3415
    const Octets wanted{0x21, 51, 150, 2,  0, 2, 0x34, 0x15, 10, 9, 0, 80,
                        10,   9,  0,   81, 0, 0, 0,    0,    0,  0, 0, 0};
    EXPECT_EQ(octets, wanted);
    EXPECT_EQ(std::get<Advert>(read_advert(octets, ends4)), advert4(2));
}

TEST(VrrpPacket, CarriesAddressesOfIpv6) {
    const Advert advert{.id = 7,
                        .priority = 255,
                        .interval = std::chrono::milliseconds{40'950},
                        .addresses = {six("fe80::80"), six("2001:db8::80")}};
    const Octets octets = write_advert(advert, ends6);
    EXPECT_EQ(octets.size(), 8U + 32U);
    EXPECT_EQ(octets[4], 0x0F);
    EXPECT_EQ(octets[5], 0xFF);
    EXPECT_EQ(std::get<Advert>(read_advert(octets, ends6)), advert);
    EXPECT_EQ(fault_of(octets, {ends6.source, six("ff02::13")}), AdvertFault::checksum);
}

TEST(VrrpPacket, TakesVersionThreeOverIpv4WithoutAPseudoHeader) {
    Octets octets = write_advert(advert4(3), ends4);
    // The packet's own words sum up to 0xDCB0, turned 0x234F.
    octets[6] = 0x23;
    octets[7] = 0x4F;
    EXPECT_EQ(std::get<Advert>(read_advert(octets, ends4)), advert4(3));
    octets[7] = 0x50;
    EXPECT_EQ(fault_of(octets), AdvertFault::checksum);
}

TEST(VrrpPacket, IsRefusedForWhatIsWrongWithIt) {
    const Octets sound = write_advert(advert4(3), ends4);
    AdvertEnds forwarded = ends4;
    forwarded.hops = 254;
    EXPECT_EQ(fault_of(sound, forwarded), AdvertFault::hops);
    for (std::size_t length = 0; length < sound.size(); ++length) {
        EXPECT_EQ(fault_of({sound.begin(), sound.begin() + static_cast<long>(length)}),
                  AdvertFault::length)
            << length;
    }
    const auto with = [&](std::size_t place, std::uint8_t octet) {
        Octets changed = sound;
        changed[place] = octet;
        return changed;
    };
    EXPECT_EQ(fault_of(with(0, 0x41)), AdvertFault::version);
    EXPECT_EQ(fault_of(with(0, 0x32)), AdvertFault::type);
    EXPECT_EQ(fault_of(with(2, 151)), AdvertFault::checksum);
    EXPECT_EQ(fault_of(with(3, 3)), AdvertFault::length);
    Octets secret = write_advert(advert4(2), ends4);
    secret[4] = 1;
    EXPECT_EQ(fault_of(secret), AdvertFault::authentication);
    EXPECT_EQ(fault_of(write_advert(advert4(2), ends4), ends6), AdvertFault::version);
}

TEST(VrrpPacket, IsUnderstoodAsKeepalivedSendsIt) {
    const AdvertEnds from_v4{at(1), Ipv4Address::of(224, 0, 0, 18)};
    const Advert two{.version = 2,
                     .id = 51,
                     .priority = 150,
                     .interval = std::chrono::seconds{1},
                     .addresses = {at(80), at(81)}};
    const Octets octets2 = from_hex("21339602000134160a0900500a0900510000000000000000");
    EXPECT_EQ(std::get<Advert>(read_advert(octets2, from_v4)), two);
    EXPECT_EQ(write_advert(two, from_v4), octets2);

    const Advert three{.id = 52,
                       .priority = 255,
                       .interval = std::chrono::milliseconds{100},
                       .addresses = {at(90)}};
    const Octets octets3 = from_hex("3134ff01000adac30a09005a");
    EXPECT_EQ(std::get<Advert>(read_advert(octets3, from_v4)), three);
    EXPECT_EQ(write_advert(three, from_v4), octets3);

    const AdvertEnds from_v6{six("fe80::ff:fe00:1"), six("ff02::12")};
    const Advert leaving{.id = 53,
                         .priority = 0,
                         .interval = std::chrono::milliseconds{500},
                         .addresses = {six("fe80::80"), six("2001:db8::80")}};
    const Octets octets6 = from_hex(
        "313500020032a42dfe80000000000000000000000000008020010db8000000000000000000000080");
    EXPECT_EQ(std::get<Advert>(read_advert(octets6, from_v6)), leaving);
    EXPECT_EQ(write_advert(leaving, from_v6), octets6);
}

TEST(VrrpPacket, HasAWordForEveryFault) {
    for (std::size_t fault = 0; fault < static_cast<std::size_t>(AdvertFault::count); ++fault) {
        EXPECT_FALSE(to_string(static_cast<AdvertFault>(fault)).empty());
    }
}

}  // namespace
}  // namespace fulcrum

// The traffic that the benchmarks agree on: many clients of one service, a hundred NAT or direct
// reals, the frames 64 octets long (60 without the FCS) as tests/rigs replay them.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/scene.h"

namespace fulcrum::bench {

inline constexpr Ipv4Address vip = Ipv4Address::of(10, 1, 0, 80);
inline constexpr unsigned real_count = 100;
inline constexpr Ipv4Address first_real = Ipv4Address::of(10, 2, 16, 1);

struct Farm {
    unsigned services = 1;
    unsigned reals = real_count;  // of each service
};

inline test::Scene replay_scene(ForwardingMode mode, Farm farm = {}) {
    test::Scene scene;
    for (unsigned s = 0; s < farm.services; ++s) {
        const Ipv4Address address = Ipv4Address::from_host(vip.host() + s);
        scene.service("web" + std::to_string(s), {address, be16{80}});
        if (farm.services > 1) {
            scene.last_service().ring_size = 2'039;  // a prime; 200 slots a real
        }
        for (unsigned r = 0; r < farm.reals; ++r) {
            const std::uint32_t host = first_real.host() + s * farm.reals + r;
            const std::uint16_t port = mode == ForwardingMode::nat ? 8080 : 80;
            scene.real("web" + std::to_string(r), {Ipv4Address::from_host(host), be16{port}}, mode);
        }
    }
    // One port carries both sides here: everything leaves by it.
    for (KernelRoute& route : scene.kernel().routes) {
        route.port = 0;
    }
    for (KernelNeighbour& neighbour : scene.kernel().neighbours) {
        neighbour.port = 0;
    }
    scene.kernel().ports.resize(1);
    scene.config().ports.resize(1);
    return scene;
}

}  // namespace fulcrum::bench

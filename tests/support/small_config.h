// Configurations in a few words, for tests of what follows from one. Service "web" has the VIP
// 203.0.113.80:80; a real's address is 192.168.10.<octet>, its port 8080.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model/service.h"

namespace fulcrum::test {

// "web7"
inline std::string numbered(std::string name, std::size_t number) {
    return name.append(std::to_string(number));
}

inline RealServer real(const std::string& name, std::uint8_t octet, std::uint32_t weight = 1) {
    return {.name = name,
            .endpoint = {Ipv4Address::of(192, 168, 10, octet), be16{8'080}},
            .weight = weight};
}

inline VirtualService service(const std::string& name, std::uint8_t vip_octet,
                              std::vector<RealServer> reals) {
    VirtualService made{.name = name,
                        .vip = Ipv4Address::of(203, 0, 113, vip_octet),
                        .port = be16{80},
                        .ring_size = 251};
    made.reals = std::move(reals);
    return made;
}

inline VirtualService web(std::vector<RealServer> reals) {
    return service("web", 80, std::move(reals));
}

inline Config config(std::vector<VirtualService> services) {
    Config made;
    made.director.workers = {1};
    made.services = std::move(services);
    return made;
}

inline std::shared_ptr<const Config> shared_config(std::vector<VirtualService> services) {
    return std::make_shared<const Config>(config(std::move(services)));
}

}  // namespace fulcrum::test

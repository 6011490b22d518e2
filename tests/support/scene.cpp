// The scene's configuration and kernel tables.
#include "tests/support/scene.h"

#include <cstdio>
#include <cstdlib>

namespace fulcrum::test {

MacAddress mac_of(const IpAddress& real) {
    const auto& octets = real.v6().octets;
    return {{0x02, static_cast<std::uint8_t>(real.is_v4() ? 0xAA : 0x66), octets[12], octets[13],
             octets[14], octets[15]}};
}

Scene::Scene() {
    config_.director.workers = {0};
    config_.director.seed = "scene";
    config_.ports.resize(2);
    config_.ports[0].name = "wan";
    config_.ports[1].name = "lan";
    kernel_.ports = {{wan_mac, 1'500}, {lan_mac, 1'500}};
    kernel_.routes = {
        {{*parse_ipv6_address("2001:db8:1::"), 64}, {}, 0, 0},
        {{*parse_ipv6_address("2001:db8:2::"), 64}, {}, 1, 0},
        {{Ipv6Address{}, 0}, router6, 0, 0},
        {{Ipv4Address::of(10, 1, 0, 0), 16}, {}, 0, 0},
        {{Ipv4Address::of(10, 2, 0, 0), 16}, {}, 1, 0},
        {{Ipv4Address::of(0, 0, 0, 0), 0}, router, 0, 0},
    };
    kernel_.neighbours = {{router, 0, router_mac}, {router6, 0, router_mac}};
    kernel_.addresses = {Ipv4Address::of(10, 1, 0, 2), Ipv4Address::of(10, 2, 0, 1)};
    kernel_.port_addresses = {{{kernel_.addresses[0], 16}, 0}, {{kernel_.addresses[1], 16}, 1}};
}

Scene& Scene::service(const std::string& name, Endpoint vip, L4Protocol protocol) {
    VirtualService service;
    service.name = name;
    service.vip = vip.address;
    service.port = vip.port;
    service.protocol = protocol;
    service.check.type = CheckType::none;
    service.syn_cookies = SynCookies::never;  // a flood then shows what it does to the table
    config_.services.push_back(service);
    return *this;
}

Scene& Scene::real(const std::string& name, Endpoint endpoint, ForwardingMode forward,
                   std::uint32_t weight) {
    RealServer real;
    real.name = name;
    real.endpoint = endpoint;
    real.forward = forward;
    real.weight = weight;
    last_service().reals.push_back(real);
    kernel_.neighbours.push_back({endpoint.address, 1, mac_of(endpoint.address)});
    return *this;
}

Scene& Scene::fallback(Endpoint endpoint) {
    RealServer real;
    real.name = "fallback";
    real.endpoint = endpoint;
    last_service().fallback = real;
    kernel_.neighbours.push_back({endpoint.address, 1, mac_of(endpoint.address)});
    return *this;
}

Scene& Scene::vlan(std::size_t parent, std::uint16_t number, const IpPrefix& network) {
    NicPort port;
    port.name = config_.ports[parent].name + "." + std::to_string(number);
    port.kind = DeviceKind::vlan;
    port.parent = config_.ports[parent].name;
    port.vlan = number;
    config_.ports.push_back(port);
    kernel_.ports.push_back(kernel_.ports[parent]);
    const auto index = static_cast<std::uint8_t>(config_.ports.size() - 1);
    kernel_.routes.insert(kernel_.routes.begin(), {network, {}, index, 0});
    return *this;
}

std::unique_ptr<const Snapshot> Scene::snapshot() {
    state_.on_event(KernelChanged{std::make_shared<const KernelTables>(kernel_)}, {});
    const Outcome outcome =
        state_.on_event(ConfigLoaded{std::make_shared<const Config>(config_)}, {});
    if (outcome.refusal) {
        std::fprintf(stderr, "%s\n", outcome.refusal->sentences.front().c_str());
        std::abort();
    }
    Compiled compiled = compile(state_.compile_input(), parts_);
    parts_ = std::move(compiled.parts);
    return std::move(compiled.snapshot);
}

void Scene::set_health(const std::string& service, const std::string& real, bool is_up) {
    state_.on_event(HealthChanged{service, real, is_up, ""}, {});
}

}  // namespace fulcrum::test

// What cards are told, tried on DPDK's model of a card: whatever else is hashed, the queue that its
// hash and the table name is that of the client's owner.
#include "dataplane/rss.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <random>

#include "dataplane/local_ends.h"
#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using namespace test;

constexpr std::size_t wan = 0;
constexpr std::size_t lan = 1;

Config two_armed(std::vector<VirtualService> services, std::size_t worker_count) {
    Config made = config(std::move(services));
    made.director.workers.assign(worker_count, 0);
    made.ports = {{.name = "wan", .addresses = {{Ipv4Address::of(203, 0, 113, 2), 24}}},
                  {.name = "lan", .addresses = {{Ipv4Address::of(192, 168, 10, 1), 24}}}};
    return made;
}

// As a card takes it: addresses and ports in words of host order.
using Tuple = std::vector<std::uint32_t>;

class Card {
  public:
    Card(const Config& config, std::size_t port, const Steering& steering, std::size_t entries)
        : plan_{plan_rss(config, port, steering)},
          queues_{rss_queues(steering, entries,
                             static_cast<unsigned>(config.director.workers.size()))} {}

    unsigned queue_of(Tuple tuple) const {
        const std::uint32_t hash =
            rte_softrss(tuple.data(), static_cast<std::uint32_t>(tuple.size()), plan_.key.data());
        return queues_[hash % queues_.size()];
    }

  private:
    RssPlan plan_;
    std::vector<std::uint16_t> queues_;
};

std::uint32_t any(std::mt19937& random) { return static_cast<std::uint32_t>(random()); }

TEST(Rss, RequestsAndRepliesOfAClientComeToTheQueueOfItsOwner) {
    std::mt19937 random{11};
    for (const std::size_t workers : {2U, 3U, 7U, 16U}) {
        const Config config = two_armed({web({real("a", 11)})}, workers);
        const Steering steering{config};
        for (const std::size_t entries : {64U, 128U, 512U}) {
            const Card towards_clients{config, wan, steering, entries};
            const Card towards_reals{config, lan, steering, entries};
            for (unsigned i = 0; i < 1'000; ++i) {
                const std::uint32_t client = any(random);
                const unsigned owner = steering.owner_of(Ipv4Address::from_host(client));
                const Tuple request{client, any(random), any(random)};
                ASSERT_EQ(towards_clients.queue_of(request), owner);
                ASSERT_EQ(towards_clients.queue_of({request[0], request[1]}), owner)
                    << "a card that leaves the ports out";
                ASSERT_EQ(towards_reals.queue_of({any(random), client, any(random)}), owner);
            }
        }
    }
}

TEST(Rss, ItIsSoUnderAShorterOwnerPrefix) {
    std::mt19937 random{12};
    VirtualService service = web({real("a", 11)});
    service.affinity = Affinity{.prefix = 20};
    const Config config = two_armed({service}, 4);
    const Steering steering{config};
    const Card towards_clients{config, wan, steering, 128};
    const Card towards_reals{config, lan, steering, 128};
    for (unsigned i = 0; i < 2'000; ++i) {
        const std::uint32_t client = any(random);
        const unsigned owner = steering.owner_of(Ipv4Address::from_host(client));
        ASSERT_EQ(steering.owner_of(Ipv4Address::from_host(client ^ 0xFFF)), owner);
        ASSERT_EQ(towards_clients.queue_of({client, any(random), any(random)}), owner);
        ASSERT_EQ(towards_reals.queue_of({any(random), client, any(random)}), owner);
    }
}

TEST(Rss, WithVipsOfIpv6AloneItIsSoOfIpv6) {
    std::mt19937 random{13};
    VirtualService service = web({});
    service.vip = parse_ipv6_address("2001:db8::80").value();
    service.reals = {
        {.name = "a", .endpoint = {parse_ipv6_address("2001:db8:2::11").value(), be16{80}}}};
    Config config = two_armed({service}, 5);
    config.ports[lan].addresses.push_back({parse_ipv6_address("2001:db8:2::1").value(), 64});
    const Steering steering{config};
    const Card towards_clients{config, wan, steering, 64};
    const Card towards_reals{config, lan, steering, 64};
    for (unsigned i = 0; i < 2'000; ++i) {
        Tuple request(9);
        for (std::uint32_t& word : request) {
            word = any(random);
        }
        Ipv6Address client;
        for (std::size_t octet = 0; octet < 16; ++octet) {
            client.octets[octet] =
                static_cast<std::uint8_t>(request[octet / 4] >> (24 - 8 * (octet % 4)));
        }
        Tuple reply{request};
        std::rotate(reply.begin(), reply.begin() + 4, reply.begin() + 8);
        ASSERT_EQ(towards_clients.queue_of(request), steering.owner_of(client));
        ASSERT_EQ(towards_reals.queue_of(reply), steering.owner_of(client));
    }
}

// In full NAT what a real answers to is a local end. Eight local addresses, and the workers take
// ends until all have some hundred.
TEST(Rss, AnswersToLocalEndsComeToTheWorkerThatTookThem) {
    RealServer far = real("a", 11);
    far.endpoint.address = Ipv4Address::of(198, 51, 100, 11);  // beyond a router
    far.forward = ForwardingMode::full_nat;
    for (const std::size_t workers : {2U, 3U, 4U}) {
        Config config = two_armed({web({far})}, workers);
        std::vector<LocalAddress> addresses;
        for (std::uint8_t n = 0; n < 8; ++n) {
            const Ipv4Address address = Ipv4Address::of(192, 168, 10, 100 + n);
            config.ports[lan].local_addresses.emplace_back(address);
            addresses.push_back({address, n, lan, false, address});
        }
        const Steering steering{config};
        const Card card{config, lan, steering, 128};
        for (unsigned worker = 0; worker < workers; ++worker) {
            const auto ends = LocalEnds::create({worker, static_cast<unsigned>(workers), &steering},
                                                {0x1234, 0x5678});
            for (std::uint16_t n = 1; n <= 300; ++n) {
                const auto end = ends->take({.client_port = be16{n}, .listener = 0},
                                            {IpFamily::v4, lan, L4Protocol::tcp}, addresses, 1);
                ASSERT_TRUE(end);
                const Tuple answer{Ipv4Address::of(198, 51, 100, 11).host(),
                                   addresses[end->place].address.host(),
                                   (std::uint32_t{80} << 16) | end->port.host()};
                ASSERT_EQ(card.queue_of(answer), worker);
            }
        }
    }
}

TEST(Rss, APortThatHearsBothSidesIsToldOfRequests) {
    Config config = two_armed({web({real("a", 11)})}, 2);
    config.ports.erase(config.ports.begin());
    EXPECT_EQ(plan_rss(config, 0, Steering{config}).clients_are, RssPlan::ClientsAre::sources);
}

TEST(Rss, RepliesOfDirectRoutingDoNotPass) {
    RealServer direct = real("a", 11);
    direct.forward = ForwardingMode::direct;
    const Config config = two_armed({web({direct})}, 2);
    EXPECT_EQ(plan_rss(config, lan, Steering{config}).clients_are, RssPlan::ClientsAre::sources);
}

TEST(Rss, WorkersBeyondTheLastQueueShareOne) {
    const Config config = two_armed({web({})}, 5);
    const Steering steering{config};
    const std::vector<std::uint16_t> queues = rss_queues(steering, 64, 2);
    for (unsigned slot = 0; slot < 64; ++slot) {
        EXPECT_EQ(queues[slot], steering.worker_of_slot(slot) % 2);
    }
}

}  // namespace
}  // namespace fulcrum

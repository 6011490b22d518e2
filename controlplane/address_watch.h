// Watches over the addresses that the director answers for: in direct routing and tunnels the reals
// hold the VIP too, and one that answers for it on the link takes the clients away from the
// director, or some of them, now and then. So every link is asked for every address once a round,
// and whoever claims one, asked or not, is told to the operator with his MAC address, until he has
// been silent for three rounds. The control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/event_loop.h"
#include "controlplane/kernel/address_claims.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/log.h"

namespace fulcrum {

class AddressWatch {
  public:
    static constexpr Duration round = 20s;

    struct Link {
        std::string name;  // of the port and its twin
        MacAddress mac;
    };
    // Called when somebody begins to claim an address of ours, and when he has been silent.
    using OnClaim = std::function<void(bool is_over, const std::string& sentence)>;
    // A packet socket at each link's twin: ARP packets and neighbour advertisements.
    static Result<std::unique_ptr<AddressWatch>> open(EventLoop& loop,
                                                      const std::vector<Link>& links, Log& log,
                                                      OnClaim on_claim);

    // Asked for from now on, in place of those before.
    void follow(std::vector<IpAddress> addresses);

    // Called whenever somebody else claims an address that is asked for.
    void on_rival(std::function<void(const IpAddress&)> heard) { on_rival_ = std::move(heard); }
    // Who claims what, as sentences.
    std::vector<std::string> conflicts() const;

  private:
    AddressWatch(EventLoop& loop, Log& log, OnClaim on_claim)
        : loop_{loop}, log_{log}, on_claim_{std::move(on_claim)}, next_{loop} {}

    struct Listener {
        Link link;
        FileDescriptor socket;
        std::unique_ptr<DescriptorWatch> watch;  // last: goes before the socket is closed
    };
    struct Claimed {
        std::string port;
        Instant last_heard{};
    };

    void listen(Listener& listener);
    void hear(const std::string& port, const AddressClaim& claim);
    void begin_round();
    void ask_some();
    void forget_silent();

    EventLoop& loop_;
    Log& log_;
    OnClaim on_claim_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<IpAddress> addresses_;  // ascending
    std::size_t asked_ = 0;             // of them, in this round
    Instant round_began_{};
    std::map<std::pair<IpAddress, std::string>, Claimed> claims_;  // by address and MAC
    Timer next_;
    std::function<void(const IpAddress&)> on_rival_;
};

}  // namespace fulcrum

// A connecting socket against a deadline; whichever comes first is the outcome.
#include "controlplane/health/connect_probe.h"

#include <asio/ip/tcp.hpp>
#include <system_error>
#include <utility>

namespace fulcrum {
namespace {

asio::ip::address address_of(const IpAddress& address) {
    if (address.is_v4()) {
        return asio::ip::address_v4{address.v4().host()};
    }
    return asio::ip::address_v6{address.v6().octets};
}

}  // namespace

struct ConnectProber::Attempt {
    Attempt(EventLoop& loop, std::weak_ptr<bool> prober_life, Done when_done)
        : socket{loop.io()},
          deadline{loop},
          life{std::move(prober_life)},
          done{std::move(when_done)} {}

    void finish(ProbeOutcome outcome) {
        if (done == nullptr) {
            return;
        }
        std::error_code ignored;
        socket.close(ignored);
        deadline.cancel();
        const Done told = std::exchange(done, nullptr);
        if (!life.expired()) {
            told(std::move(outcome));
        }
    }

    asio::ip::tcp::socket socket;
    Timer deadline;
    std::weak_ptr<bool> life;
    Done done;
};

void ConnectProber::probe(const ProbeSpec& spec, Done done) {
    auto attempt = std::make_shared<Attempt>(loop_, life_, std::move(done));
    std::error_code error;
    const asio::ip::tcp::endpoint target{address_of(spec.target.address), spec.target.port.host()};
    attempt->socket.open(target.protocol(), error);
    if (error) {
        loop_.post([attempt, error] { attempt->finish(outcome_of_refusal(error.value())); });
        return;
    }
    attempt->deadline.after(spec.check.timeout, [weak = std::weak_ptr{attempt}, spec] {
        if (const auto late = weak.lock()) {
            late->finish(outcome_of_timeout(spec));
        }
    });
    attempt->socket.async_connect(target, loop_.turn([attempt](const std::error_code& refused) {
        attempt->finish(refused ? outcome_of_refusal(refused.value())
                                : ProbeOutcome{ProbeVerdict::success, "connection accepted"});
    }));
}

}  // namespace fulcrum

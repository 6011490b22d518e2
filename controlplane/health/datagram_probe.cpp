// A connected socket against a deadline, and a timer that says things again.
#include "controlplane/health/datagram_probe.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/udp.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "controlplane/health/asio_address.h"
#include "controlplane/health/dialogue.h"

namespace fulcrum {
namespace {

using Udp = asio::ip::udp;

constexpr int times_said = 3;

}  // namespace

struct DatagramProber::Attempt : std::enable_shared_from_this<Attempt> {
    Attempt(EventLoop& on_loop, ProbeSpec probe_spec, std::weak_ptr<bool> prober_life,
            Done when_done)
        : loop{on_loop},
          spec{std::move(probe_spec)},
          dialogue{make_dialogue(spec)},
          socket{loop.io()},
          deadline{loop},
          patience{loop},
          life{std::move(prober_life)},
          done{std::move(when_done)} {}

    void take(DialogueTurn turn);
    void send();
    void read();
    void finish(ProbeOutcome outcome);
    bool is_over() const { return done == nullptr; }

    EventLoop& loop;
    ProbeSpec spec;
    std::unique_ptr<Dialogue> dialogue;
    Udp::socket socket;
    Timer deadline;
    Timer patience;
    std::string said;
    std::array<char, 4'096> room;
    std::weak_ptr<bool> life;
    Done done;
};

void DatagramProber::Attempt::finish(ProbeOutcome outcome) {
    if (is_over()) {
        return;
    }
    std::error_code ignored;
    socket.close(ignored);
    deadline.cancel();
    patience.cancel();
    const Done told = std::exchange(done, nullptr);
    if (!life.expired()) {
        told(std::move(outcome));
    }
}

void DatagramProber::Attempt::take(DialogueTurn turn) {
    if (!turn.send.empty()) {
        said = std::move(turn.send);
        send();
    }
    if (turn.outcome) {
        finish(std::move(*turn.outcome));
    }
}

void DatagramProber::Attempt::send() {
    std::error_code error;
    socket.send(asio::buffer(said), 0, error);
    if (error && error != asio::error::would_block) {
        return finish(outcome_of_refusal(error.value()));
    }
    patience.after(spec.check.timeout / times_said, [weak = weak_from_this()] {
        if (const auto waiting = weak.lock()) {
            waiting->send();
        }
    });
}

void DatagramProber::Attempt::read() {
    socket.async_receive(
        asio::buffer(room),
        loop.turn([self = shared_from_this()](const std::error_code& error, std::size_t length) {
            if (self->is_over()) {
                return;
            }
            if (error) {
                return self->finish(outcome_of_refusal(error.value()));
            }
            self->take(self->dialogue->on_received(std::string_view{self->room.data(), length}));
            if (!self->is_over()) {
                self->read();
            }
        }));
}

void DatagramProber::probe(const ProbeSpec& spec, Done done) {
    auto attempt = std::make_shared<Attempt>(loop_, spec, life_, std::move(done));
    std::error_code error;
    const auto target = asio_endpoint<Udp::endpoint>(spec.target);
    attempt->socket.open(target.protocol(), error);
    if (!error) {
        attempt->socket.non_blocking(true, error);
        attempt->socket.connect(target, error);
    }
    if (error) {
        loop_.post([attempt, error] { attempt->finish(outcome_of_refusal(error.value())); });
        return;
    }
    attempt->deadline.after(spec.check.timeout, [weak = std::weak_ptr{attempt}] {
        if (const auto late = weak.lock()) {
            late->finish(late->dialogue->on_timeout());
        }
    });
    attempt->read();
    loop_.post([attempt] { attempt->take(attempt->dialogue->begin()); });
}

}  // namespace fulcrum

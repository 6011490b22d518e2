// A connecting socket against a deadline, then a dialogue turn by turn; whatever ends it first is
// the outcome.
#include "controlplane/health/stream_probe.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>

#include "controlplane/health/asio_address.h"
#include "controlplane/health/dialogue.h"

namespace fulcrum {
namespace {

using Tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<Tcp::socket&>;

std::string tls_sentence(const std::error_code& error) {
    return error.category() == asio::error::get_ssl_category()
               ? "TLS: " + error.message()
               : outcome_of_refusal(error.value()).sentence;
}

bool is_end(const std::error_code& error) {
    return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

}  // namespace

struct StreamProber::Attempt : std::enable_shared_from_this<Attempt> {
    Attempt(EventLoop& on_loop, ProbeSpec probe_spec, std::weak_ptr<bool> prober_life,
            Done when_done)
        : loop{on_loop},
          spec{std::move(probe_spec)},
          dialogue{make_dialogue(spec)},
          socket{loop.io()},
          deadline{loop},
          life{std::move(prober_life)},
          done{std::move(when_done)} {}

    void begin() { take(dialogue->begin()); }
    void take(DialogueTurn turn);
    void shake_hands(std::function<void()> next);
    void read();
    void on_read(const std::error_code& error, std::size_t length);
    void finish(ProbeOutcome outcome);
    bool is_over() const { return done == nullptr; }

    EventLoop& loop;
    ProbeSpec spec;
    std::unique_ptr<Dialogue> dialogue;
    Tcp::socket socket;
    std::optional<TlsStream> tls;  // as soon as it may be wanted
    bool is_within_tls = false;
    Timer deadline;
    std::array<char, 4'096> room;
    std::weak_ptr<bool> life;
    Done done;
};

void StreamProber::Attempt::finish(ProbeOutcome outcome) {
    if (is_over()) {
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

// What is sent last is not waited for: a server that does not read it has answered all the same.
// NOLINTBEGIN(misc-no-recursion): each step begins in a later turn of the loop.
void StreamProber::Attempt::take(DialogueTurn turn) {
    if (turn.starts_tls) {
        turn.starts_tls = false;
        return shake_hands(
            [self = shared_from_this(), turn = std::move(turn)] { self->take(turn); });
    }
    if (turn.send.empty()) {
        if (turn.outcome) {
            return finish(std::move(*turn.outcome));
        }
        return read();
    }
    auto sent = std::make_shared<const std::string>(std::move(turn.send));
    auto on_sent = loop.turn([self = shared_from_this(), sent, outcome = std::move(turn.outcome)](
                                 const std::error_code& error, std::size_t) {
        if (self->is_over()) {
            return;
        }
        if (outcome) {
            return self->finish(*outcome);
        }
        if (error) {
            return self->finish(self->dialogue->on_end());
        }
        self->read();
    });
    if (is_within_tls) {
        asio::async_write(*tls, asio::buffer(*sent), std::move(on_sent));
    } else {
        asio::async_write(socket, asio::buffer(*sent), std::move(on_sent));
    }
}

// NOLINTEND(misc-no-recursion)

void StreamProber::Attempt::shake_hands(std::function<void()> next) {
    tls->async_handshake(
        asio::ssl::stream_base::client,
        loop.turn(
            [self = shared_from_this(), next = std::move(next)](const std::error_code& unwell) {
                if (self->is_over()) {
                    return;
                }
                if (unwell) {
                    return self->finish({ProbeVerdict::failure,
                                         is_end(unwell) ? "connection closed within TLS's handshake"
                                                        : tls_sentence(unwell)});
                }
                self->is_within_tls = true;
                next();
            }));
}

void StreamProber::Attempt::read() {
    auto on_octets =
        loop.turn([self = shared_from_this()](const std::error_code& error, std::size_t length) {
            if (!self->is_over()) {
                self->on_read(error, length);
            }
        });
    if (is_within_tls) {
        tls->async_read_some(asio::buffer(room), std::move(on_octets));
    } else {
        socket.async_read_some(asio::buffer(room), std::move(on_octets));
    }
}

void StreamProber::Attempt::on_read(const std::error_code& error, std::size_t length) {
    if (!error) {
        return take(dialogue->on_received(std::string_view{room.data(), length}));
    }
    if (is_end(error)) {
        return finish(dialogue->on_end());
    }
    finish({ProbeVerdict::failure, tls_sentence(error)});
}

void StreamProber::probe(const ProbeSpec& spec, Done done) {
    auto attempt = std::make_shared<Attempt>(loop_, spec, life_, std::move(done));
    std::error_code error;
    const auto target = asio_endpoint<Tcp::endpoint>(spec.target);
    attempt->socket.open(target.protocol(), error);
    const std::optional<ProbeOutcome> objection =
        error ? outcome_of_refusal(error.value()) : prepare_tls(*attempt);
    if (objection) {
        loop_.post([attempt, objection] { attempt->finish(*objection); });
        return;
    }
    attempt->deadline.after(spec.check.timeout, [weak = std::weak_ptr{attempt}] {
        if (const auto late = weak.lock()) {
            late->finish(late->dialogue->on_timeout());
        }
    });
    attempt->socket.async_connect(target, loop_.turn([attempt](const std::error_code& refused) {
        if (attempt->is_over()) {
            return;
        }
        if (refused) {
            return attempt->finish(outcome_of_refusal(refused.value()));
        }
        if (!facts_of(attempt->spec.check.type).knows(CheckKey::tls)) {
            return attempt->begin();
        }
        attempt->shake_hands([attempt] { attempt->begin(); });
    }));
}

// Set: it cannot be.
std::optional<ProbeOutcome> StreamProber::prepare_tls(Attempt& attempt) {
    const Check& check = attempt.spec.check;
    if (!facts_of(check.type).knows(CheckKey::tls) && !check.starttls) {
        return std::nullopt;
    }
    Result<asio::ssl::context*> context = context_for(check);
    if (!context) {
        return ProbeOutcome{ProbeVerdict::not_sent, "probe not sent: " + context.error().sentence};
    }
    attempt.tls.emplace(attempt.socket, **context);
    SSL* tls = attempt.tls->native_handle();
    const std::string name = server_name_of(check.host);
    if (!name.empty()) {
        SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name.c_str()));
    }
    if (check.verify && name.empty()) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls),
                                      to_string(attempt.spec.target.address).c_str());
    } else if (check.verify) {
        SSL_set1_host(tls, name.c_str());
    }
    return std::nullopt;
}

Result<asio::ssl::context*> StreamProber::context_for(const Check& check) {
    const Authorities authorities{check.verify, check.verify ? check.ca_file : ""};
    const auto known = contexts_.find(authorities);
    if (known != contexts_.end()) {
        return &known->second;
    }
    asio::ssl::context context{asio::ssl::context::tls_client};
    std::error_code error;
    if (!check.verify) {
        context.set_verify_mode(asio::ssl::verify_none);
    } else {
        context.set_verify_mode(asio::ssl::verify_peer);
        if (check.ca_file.empty()) {
            context.set_default_verify_paths(error);
        } else {
            context.load_verify_file(check.ca_file, error);
        }
    }
    if (error) {
        return Error{"ca_file " + check.ca_file + ": " + error.message()};
    }
    return &contexts_.emplace(authorities, std::move(context)).first->second;
}

}  // namespace fulcrum

// A TCP server on the loopback with one canned behaviour, on a thread of its own and with plain
// blocking sockets: nothing in it comes from the product.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

class StubServer {
  public:
    enum class Manner {
        answers,       // reads a request, sends the answer, closes
        says_nothing,  // accepts, and leaves it at that
        never_ends,    // sends the answer, then octets for ever
        greets,        // sends the answer at once, and then listens until the client goes
        greets_and_closes,
    };

    StubServer(Manner manner, std::string answer) : manner_{manner}, answer_{std::move(answer)} {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;  // any address: 127.0.0.0/8 is all ours
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        ::listen(listener_, 4096);
        socklen_t length = sizeof(address);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~StubServer() {
        is_stopping_ = true;
        thread_.join();
        for (const int kept : kept_) {
            ::close(kept);
        }
        ::close(listener_);
    }

    std::uint16_t port() const { return port_; }
    Endpoint at(Ipv4Address address = Ipv4Address::of(127, 0, 0, 1)) const {
        return {address, be16{port_}};
    }
    int accepted_count() const { return accepted_count_; }
    std::string last_request() const {
        const std::lock_guard lock{mutex_};
        return last_request_;
    }
    void answer_from_now_on(std::string answer) {
        const std::lock_guard lock{mutex_};
        answer_ = std::move(answer);
    }

  private:
    void serve() {
        while (!is_stopping_) {
            pollfd ready{listener_, POLLIN, 0};
            if (::poll(&ready, 1, 20) != 1) {
                continue;
            }
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) {
                continue;
            }
            ++accepted_count_;
            if (manner_ == Manner::says_nothing) {
                kept_.push_back(connection);
                continue;
            }
            if (manner_ == Manner::greets || manner_ == Manner::greets_and_closes) {
                greet(connection);
                continue;
            }
            converse(connection);
            ::close(connection);
        }
    }

    void greet(int connection) {
        const std::lock_guard lock{mutex_};
        ::send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        if (manner_ == Manner::greets) {
            kept_.push_back(connection);
        } else {
            ::close(connection);
        }
    }

    void converse(int connection) {
        std::string request;
        std::array<char, 4096> octets{};
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t count = ::recv(connection, octets.data(), octets.size(), 0);
            if (count <= 0) {
                return;
            }
            request.append(octets.data(), static_cast<std::size_t>(count));
        }
        std::string answer;
        {
            const std::lock_guard lock{mutex_};
            last_request_ = request;
            answer = answer_;
        }
        ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
        const std::string more(4096, 'x');
        while (manner_ == Manner::never_ends && !is_stopping_ &&
               ::send(connection, more.data(), more.size(), MSG_NOSIGNAL) > 0) {
        }
    }

    const Manner manner_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> is_stopping_{false};
    std::atomic<int> accepted_count_{0};
    mutable std::mutex mutex_;
    std::string answer_;        // under mutex_
    std::string last_request_;  // under mutex_
    std::vector<int> kept_;
    std::thread thread_;
};

}  // namespace fulcrum

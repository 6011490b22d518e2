// A UDP server on the loopback that answers as it is told, on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "config/model/address.h"

namespace fulcrum {

class DatagramServer {
  public:
    // What it answers to a datagram; empty: nothing. Called on the server's thread.
    using Answer = std::function<std::string(const std::string& question)>;

    explicit DatagramServer(Answer answer) : answer_{std::move(answer)} {
        socket_ = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;  // any address, of both IP versions
        ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        socklen_t length = sizeof(address);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin6_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~DatagramServer() {
        is_stopping_ = true;
        thread_.join();
        ::close(socket_);
    }

    Endpoint at() const { return {Ipv4Address::of(127, 0, 0, 1), be16{port_}}; }
    Endpoint at_ipv6() const { return {*parse_ip_address("::1"), be16{port_}}; }
    int heard_count() const { return heard_count_; }

  private:
    void serve() {
        while (!is_stopping_) {
            pollfd ready{socket_, POLLIN, 0};
            if (::poll(&ready, 1, 20) != 1) {
                continue;
            }
            std::array<char, 4'096> octets;
            sockaddr_in6 client{};
            socklen_t length = sizeof(client);
            const ssize_t count = ::recvfrom(socket_, octets.data(), octets.size(), 0,
                                             reinterpret_cast<sockaddr*>(&client), &length);
            if (count < 0) {
                continue;
            }
            ++heard_count_;
            const std::string answer =
                answer_(std::string{octets.data(), static_cast<std::size_t>(count)});
            if (!answer.empty()) {
                ::sendto(socket_, answer.data(), answer.size(), 0,
                         reinterpret_cast<const sockaddr*>(&client), length);
            }
        }
    }

    const Answer answer_;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> is_stopping_{false};
    std::atomic<int> heard_count_{0};
    std::thread thread_;
};

}  // namespace fulcrum

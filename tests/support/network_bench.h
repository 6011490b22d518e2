// What tests of the kernel's side are built from: the system's own tools, which say independently
// what the kernel holds; a second network behind a veth pair; Ethernet frames by hand. Only for
// programs with own_network_main.cpp, so that nothing here meets the machine's network.
#pragma once

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

// What the shell command prints, on both outputs.
inline std::string output_of(const std::string& command) {
    FILE* pipe = popen(("{ " + command + "; } 2>&1").c_str(), "re");
    std::string text;
    std::array<char, 4'096> piece{};
    while (pipe != nullptr) {
        const std::size_t size = fread(piece.data(), 1, piece.size(), pipe);
        if (size == 0) {
            break;
        }
        text.append(piece.data(), size);
    }
    if (pipe != nullptr) {
        pclose(pipe);
    }
    return text;
}

inline bool succeeds(const std::string& command) {
    return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Asks again until it is so, or until the deadline.
template <typename Predicate>
bool eventually(Predicate&& is_so, std::chrono::milliseconds deadline = std::chrono::seconds{5}) {
    const auto give_up_at = std::chrono::steady_clock::now() + deadline;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > give_up_at) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

// A folder that vanishes with the test.
class TemporaryFolder {
  public:
    TemporaryFolder() : path_{"/tmp/fulcrum-test-XXXXXX"} {
        if (mkdtemp(path_.data()) == nullptr) {
            std::abort();
        }
    }
    ~TemporaryFolder() { succeeds("rm -r " + path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// Another network namespace, alive as long as this object: a process that does nothing in it.
class SecondNetwork {
  public:
    SecondNetwork() {
        std::array<int, 2> ready{};
        if (pipe(ready.data()) != 0) {
            std::abort();
        }
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            const char done = unshare(CLONE_NEWNET) == 0 ? '1' : '0';
            const bool is_told = write(ready[1], &done, 1) == 1;
            while (is_told) {
                pause();
            }
            _exit(1);
        }
        char done = '0';
        const bool is_read = read(ready[0], &done, 1) == 1;
        close(ready[0]);
        close(ready[1]);
        if (!is_read || done != '1') {
            std::abort();
        }
    }
    ~SecondNetwork() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    SecondNetwork(const SecondNetwork&) = delete;
    SecondNetwork& operator=(const SecondNetwork&) = delete;

    std::string pid() const { return std::to_string(pid_); }
    std::string inside(const std::string& command) const {
        return "nsenter -t " + pid() + " -n " + command;
    }

  private:
    pid_t pid_ = -1;
};

using Frame = std::vector<std::uint8_t>;

// Nothing waits: an empty frame.
inline Frame read_frame(int fd) {
    Frame frame(2'048);
    const ssize_t size = read(fd, frame.data(), frame.size());
    frame.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return frame;
}

inline void write_frame(int fd, const Frame& frame) {
    if (write(fd, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) {
        std::perror("a frame was not taken");
    }
}

// Sees everything that `device` receives and sends, as af_packet ports do.
inline FileDescriptor packet_socket(const std::string& device) {
    FileDescriptor opened{
        socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL))};
    sockaddr_ll place{};
    place.sll_family = AF_PACKET;
    place.sll_protocol = htons(ETH_P_ALL);
    place.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    if (bind(opened.get(), reinterpret_cast<sockaddr*>(&place), sizeof(place)) != 0) {
        std::perror("binding a packet socket");
    }
    return opened;
}

// One frame from one descriptor to the other, if there is one.
inline void pump(int from, int to) {
    if (const Frame frame = read_frame(from); !frame.empty()) {
        write_frame(to, frame);
    }
}

// ARP over Ethernet and IPv4 (RFC 826), bytes in the order of the wire.
struct Arp {
    std::uint8_t operation = 1;  // 1 request, 2 reply
    std::array<std::uint8_t, 6> sender_mac{};
    std::array<std::uint8_t, 4> sender{};
    std::array<std::uint8_t, 6> target_mac{};
    std::array<std::uint8_t, 4> target{};
};

inline Frame frame_of(const Arp& arp, std::array<std::uint8_t, 6> destination) {
    Frame frame{destination.begin(), destination.end()};
    const auto append = [&](const auto& bytes) {
        frame.insert(frame.end(), bytes.begin(), bytes.end());
    };
    append(arp.sender_mac);
    append(std::array<std::uint8_t, 10>{8, 6, 0, 1, 8, 0, 6, 4, 0, arp.operation});
    append(arp.sender_mac);
    append(arp.sender);
    append(arp.target_mac);
    append(arp.target);
    return frame;
}

// False when the frame is no ARP.
inline bool read_arp(const Frame& frame, Arp& arp) {
    if (frame.size() < 42 || frame[12] != 8 || frame[13] != 6) {
        return false;
    }
    arp.operation = frame[21];
    std::copy_n(frame.begin() + 22, 6, arp.sender_mac.begin());
    std::copy_n(frame.begin() + 28, 4, arp.sender.begin());
    std::copy_n(frame.begin() + 32, 6, arp.target_mac.begin());
    std::copy_n(frame.begin() + 38, 4, arp.target.begin());
    return true;
}

}  // namespace fulcrum

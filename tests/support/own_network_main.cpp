// A gtest main for tests with sockets: it first moves the whole program into a network namespace of
// its own, in which only the loopback exists, so that no test meets the machine's network or
// another test's ports. As an ordinary user this takes a user namespace as well.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace {

void write_file(const char* path, const std::string& text) { std::ofstream{path} << text; }

// In a user namespace of its own the test is its root by name too, so that the tools that it runs
// (ip, nft, ethtool) have its rights.
bool enter_own_network() {
    if (unshare(CLONE_NEWNET) == 0) {
        return true;
    }
    const std::string user = std::to_string(geteuid());
    const std::string group = std::to_string(getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + user + " 1");
    write_file("/proc/self/gid_map", "0 " + group + " 1");
    return true;
}

bool raise_loopback() {
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    const bool is_up = ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return is_up;
}

void raise_descriptor_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (!enter_own_network() || !raise_loopback()) {
        std::perror("these tests need a network namespace of their own");
        return 1;
    }
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);  // as the director does
    return RUN_ALL_TESTS();
}

// Blocking system calls with a time limit: there is nothing else to do meanwhile.
#include "controlplane/fulcrumctl/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace fulcrum {
namespace {

constexpr timeval waiting_max{120, 0};  // a reload of a very large file takes a while

class Connection {
  public:
    Connection() : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &waiting_max, sizeof(waiting_max));
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &waiting_max, sizeof(waiting_max));
    }
    ~Connection() { close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool connect_to(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        return connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    bool send_all(std::string_view octets) {
        while (!octets.empty()) {
            const ssize_t count = send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (count < 0) {
                return false;
            }
            octets.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    // Up to the line's end, or to that of the connection.
    std::string receive_line() {
        std::string line;
        std::array<char, 65'536> octets{};
        while (line.empty() || line.back() != '\n') {
            const ssize_t count = recv(socket_, octets.data(), octets.size(), 0);
            if (count <= 0) {
                break;
            }
            line.append(octets.data(), static_cast<std::size_t>(count));
        }
        return line;
    }

  private:
    int socket_;
};

}  // namespace

Result<Json> ask_director(const std::string& socket_path, const Json& request) {
    if (socket_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
        return Error{"\"" + socket_path + "\" is longer than the 107 octets of a socket's name"};
    }
    Connection connection;
    if (!connection.connect_to(socket_path)) {
        return Error{"no director answers on " + socket_path + ": " +
                     std::generic_category().message(errno)};
    }
    // A director with too many clients says so without reading: its line is worth more than EPIPE.
    connection.send_all(request.dump() + "\n");
    const std::string line = connection.receive_line();
    Json reply = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!reply.is_object() || !reply.contains("ok")) {
        return Error{"the director on " + socket_path + " closed the connection without a reply"};
    }
    return reply;
}

}  // namespace fulcrum

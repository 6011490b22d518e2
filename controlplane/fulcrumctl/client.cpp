// Blocking system calls with a time limit: there is nothing else to do meanwhile.
#include "controlplane/fulcrumctl/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
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
        std::size_t end = received_.find('\n');
        while (end == std::string::npos && receive_some()) {
            end = received_.find('\n');
        }
        return take(end == std::string::npos ? received_.size() : end + 1);
    }
    // So many octets, or fewer if the connection ends before.
    std::string receive(std::size_t count) {
        while (received_.size() < count && receive_some()) {
        }
        return take(std::min(count, received_.size()));
    }
    // There may be nothing to say for long; that the director is gone shows all the same.
    void wait_without_end() const {
        constexpr timeval none{};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
    }
    // Whatever else comes from it is waited for.
    void say_no_more() const { shutdown(socket_, SHUT_WR); }

  private:
    bool receive_some() {
        std::array<char, 65'536> octets{};
        ssize_t count = -1;
        do {
            count = recv(socket_, octets.data(), octets.size(), 0);
        } while (count < 0 && errno == EINTR);
        received_.append(octets.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        return count > 0;
    }
    std::string take(std::size_t count) {
        std::string taken = received_.substr(0, count);
        received_.erase(0, count);
        return taken;
    }

    int socket_;
    std::string received_;
};

// For the signals' sake, which know nothing else.
Connection* to_be_ended = nullptr;
volatile std::sig_atomic_t is_interrupted = 0;

void end_stream(int /*signal*/) {
    is_interrupted = 1;
    to_be_ended->say_no_more();
}

// As long as it lives the operator's signals end that stream; then, as ever, the program.
class SignalsEndStream {
  public:
    explicit SignalsEndStream(Connection& connection) {
        to_be_ended = &connection;
        struct sigaction action {};
        action.sa_handler = end_stream;
        set(action);
    }
    ~SignalsEndStream() {
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        set(action);
        to_be_ended = nullptr;
    }
    SignalsEndStream(const SignalsEndStream&) = delete;
    SignalsEndStream& operator=(const SignalsEndStream&) = delete;

  private:
    static void set(const struct sigaction& action) {
        sigaction(SIGINT, &action, nullptr);
        sigaction(SIGTERM, &action, nullptr);
    }
};

Json parsed(const std::string& line) {
    return Json::parse(line, nullptr, /*allow_exceptions=*/false);
}

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
    Json reply = parsed(line);
    if (!reply.is_object() || !reply.contains("ok")) {
        return Error{"the director on " + socket_path + " closed the connection without a reply"};
    }
    return reply;
}

bool was_stream_interrupted() { return is_interrupted != 0; }

Result<Json> stream_from_director(const std::string& socket_path, const Json& request,
                                  const std::function<bool(std::string_view octets)>& take,
                                  const std::function<void(const Json& result)>& begin) {
    Connection connection;
    if (socket_path.size() >= sizeof(sockaddr_un{}.sun_path) ||
        !connection.connect_to(socket_path)) {
        return Error{"no director answers on " + socket_path + ": " +
                     std::generic_category().message(errno)};
    }
    const SignalsEndStream signals{connection};
    connection.send_all(request.dump() + "\n");
    Json reply = parsed(connection.receive_line());
    if (!reply.is_object() || !reply.value("ok", false)) {
        return reply.is_object() ? Result<Json>{reply}
                                 : Error{"the director on " + socket_path +
                                         " closed the connection without a reply"};
    }
    begin(reply.at("result"));
    connection.wait_without_end();
    while (true) {
        reply = parsed(connection.receive_line());
        if (!reply.is_object()) {
            return Error{"the director on " + socket_path + " has gone in the middle of it"};
        }
        if (!reply.contains("octets")) {
            return reply;
        }
        if (!take(connection.receive(reply["octets"].get<std::size_t>()))) {
            return Error{"what has come cannot be written: " +
                         std::generic_category().message(errno)};
        }
    }
}

}  // namespace fulcrum

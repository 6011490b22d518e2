// Listening, and one small machine a client: read a line, have it answered, write the reply, again.
#include "controlplane/command_socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace fulcrum {
namespace {

constexpr mode_t socket_mode = 0660;
constexpr mode_t socket_mode_for_all = 0666;
constexpr int backlog_length = 128;
constexpr Duration accept_again_delay = 100ms;  // when descriptors have run out

std::string because(int error) { return ": " + std::generic_category().message(error); }

// Makes the path free for us, or says why it is not.
Status clear_path(const std::string& path) {
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) {
        return done();
    }
    if (!S_ISSOCK(found.st_mode)) {
        return Error{"control.socket \"" + path + "\" exists and is no socket: name another path"};
    }
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int result = connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    const bool is_dead = result != 0 && errno == ECONNREFUSED;
    close(probe);
    if (!is_dead) {
        return Error{"another director answers on control.socket \"" + path + "\": stop it first"};
    }
    if (unlink(path.c_str()) != 0) {
        return Error{"control.socket \"" + path + "\" is left over and cannot be removed" +
                     because(errno)};
    }
    return done();
}

// None: it is not named.
Result<std::optional<gid_t>> group_of(const std::string& key, const std::string& name) {
    if (name.empty()) {
        return std::optional<gid_t>{};
    }
    const struct group* found = getgrnam(name.c_str());
    if (found == nullptr) {
        return Error{key + " \"" + name + "\" does not exist on this host"};
    }
    return std::optional{found->gr_gid};
}

// A file has one group: where there are two, everybody may connect, and is then asked who he is.
Status give_to_groups(const std::string& path, const Gatekeeper& gatekeeper) {
    if (chmod(path.c_str(), gatekeeper.readers ? socket_mode_for_all : socket_mode) != 0) {
        return Error{"control.socket \"" + path + "\" does not take its mode" + because(errno)};
    }
    if (gatekeeper.admins && chown(path.c_str(), static_cast<uid_t>(-1), *gatekeeper.admins) != 0) {
        return Error{"control.socket \"" + path + "\" cannot be given to control.group" +
                     because(errno)};
    }
    return done();
}

Result<Gatekeeper> gatekeeper_of(const Control& control) {
    const auto admins = group_of("control.group", control.group);
    if (!admins) {
        return admins.error();
    }
    const auto readers = group_of("control.readers", control.readers);
    if (!readers) {
        return readers.error();
    }
    return Gatekeeper{geteuid(), *admins, *readers};
}

}  // namespace

class CommandSocket::Client : public std::enable_shared_from_this<Client> {
  public:
    Client(CommandSocket& owner, Socket socket, Permission permission)
        : owner_{owner},
          socket_{std::move(socket)},
          permission_{permission},
          deadline_{owner.loop_} {}

    void begin() {
        await_request();
        read();
    }
    // None while it is being answered, or takes its answer.
    std::optional<Instant> waiting_since() const { return waiting_since_; }
    // Completions that are still on their way find it closed and do nothing.
    void close() {
        is_closed_ = true;
        deadline_.cancel();
        stream_.reset();
        std::error_code ignored;
        socket_.close(ignored);
    }
    void leave() {
        if (!is_closed_) {
            close();
            owner_.forget(shared_from_this());
        }
    }

  private:
    void await_request() {
        waiting_since_ = owner_.loop_.now();
        expect_within(owner_.limits_.idle);
    }
    void expect_within(Duration length) {
        deadline_.after(length, [weak = weak_from_this()] {
            if (const auto late = weak.lock()) {
                late->leave();
            }
        });
    }
    void read();
    void take_line();
    void answer(const Reply& reply);
    void write(bool is_last);
    void watch();
    void flow();
    void pass_on(std::string octets);

    CommandSocket& owner_;  // closes us before it goes
    Socket socket_;
    Permission permission_;
    Timer deadline_;
    std::array<char, 4096> octets_{};
    std::string received_;
    std::string to_send_;
    std::uint64_t request_count_ = 0;
    std::optional<Instant> waiting_since_;
    std::shared_ptr<ReplyStream> stream_;  // what follows the last reply
    bool is_answering_ = false;
    bool is_at_end_ = false;  // the client will send no more
    bool is_closed_ = false;
};

void CommandSocket::Client::read() {
    socket_.async_read_some(
        asio::buffer(octets_),
        owner_.loop_.turn([self = shared_from_this()](const std::error_code& error, std::size_t n) {
            if (self->is_closed_) {
                return;
            }
            self->is_at_end_ = static_cast<bool>(error);
            self->received_.append(self->octets_.data(), n);
            self->take_line();
        }));
}

// NOLINTBEGIN(misc-no-recursion): each step begins in a later turn of the loop.
void CommandSocket::Client::take_line() {
    const std::size_t end = received_.find('\n');
    if (end == std::string::npos && received_.size() > request_size_max) {
        received_.clear();
        to_send_ = render(Reply::refusal("bad_request", "the request line is longer than " +
                                                            std::to_string(request_size_max) +
                                                            " octets: the connection is closed"));
        write(/*is_last=*/true);
        return;
    }
    if (end == std::string::npos) {
        if (is_at_end_) {
            leave();
        } else {
            read();
        }
        return;
    }
    const std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    is_answering_ = true;
    waiting_since_.reset();
    deadline_.cancel();  // a command takes as long as it takes, and bounds itself
    Result<Request> request = parse_request(line);
    if (!request) {
        answer(Reply::refusal("bad_request", request.error().sentence));
        return;
    }
    request->may_change = permission_ == Permission::change;
    owner_.serve_(
        *request, [weak = weak_from_this(), count = ++request_count_](const Reply& reply) {
            const auto asking = weak.lock();
            if (asking != nullptr && asking->is_answering_ && asking->request_count_ == count) {
                asking->answer(reply);
            }
        });
}

void CommandSocket::Client::answer(const Reply& reply) {
    if (is_closed_) {
        return;
    }
    is_answering_ = false;
    to_send_ = render(reply);
    stream_ = reply.stream;
    write(/*is_last=*/false);
}

void CommandSocket::Client::write(bool is_last) {
    expect_within(owner_.limits_.reading);
    asio::async_write(socket_, asio::buffer(to_send_),
                      owner_.loop_.turn([self = shared_from_this(), is_last](
                                            const std::error_code& error, std::size_t /*n*/) {
                          if (self->is_closed_) {
                              return;
                          }
                          if (error || is_last) {
                              self->leave();
                              return;
                          }
                          self->to_send_ = {};
                          if (self->stream_ != nullptr) {
                              self->watch();
                              self->flow();
                              return;
                          }
                          self->await_request();
                          self->take_line();
                      }));
}

// Whether it is still there: what it says is not listened to, but that it wants no more is.
void CommandSocket::Client::watch() {
    socket_.async_read_some(asio::buffer(octets_),
                            owner_.loop_.turn([self = shared_from_this()](
                                                  const std::error_code& error, std::size_t /*n*/) {
                                if (self->is_closed_) {
                                    return;
                                }
                                if (!error) {
                                    self->watch();
                                } else if (error == asio::error::eof) {
                                    self->stream_->end();
                                } else {
                                    self->leave();
                                }
                            }));
}

void CommandSocket::Client::flow() {
    deadline_.cancel();
    stream_->next([weak = weak_from_this()](std::string octets) {
        if (const auto self = weak.lock(); self != nullptr && !self->is_closed_) {
            self->pass_on(std::move(octets));
        }
    });
}

// The stream's next piece; none: it is at its end, and so is the connection.
void CommandSocket::Client::pass_on(std::string octets) {
    if (octets.empty()) {
        leave();
        return;
    }
    to_send_ = std::move(octets);
    expect_within(owner_.limits_.reading);
    asio::async_write(socket_, asio::buffer(to_send_),
                      owner_.loop_.turn([self = shared_from_this()](const std::error_code& error,
                                                                    std::size_t /*n*/) {
                          if (self->is_closed_) {
                              return;
                          }
                          if (error) {
                              self->leave();
                          } else {
                              self->flow();
                          }
                      }));
}

// NOLINTEND(misc-no-recursion)

Result<std::unique_ptr<CommandSocket>> CommandSocket::open(EventLoop& loop, const Control& control,
                                                           Serve serve, CommandLimits limits) {
    std::unique_ptr<CommandSocket> made{
        new CommandSocket{loop, control.socket, std::move(serve), limits}};
    if (Status status = made->listen(control); !status) {
        return status.error();
    }
    made->accept();
    return made;
}

CommandSocket::CommandSocket(EventLoop& loop, std::string path, Serve serve, CommandLimits limits)
    : loop_{loop},
      path_{std::move(path)},
      serve_{std::move(serve)},
      limits_{limits},
      acceptor_{loop.io()},
      accept_again_{loop} {}

CommandSocket::~CommandSocket() {
    for (const auto& client : clients_) {
        client->close();
    }
    struct stat found {};
    if (inode_ != 0 && lstat(path_.c_str(), &found) == 0 && found.st_ino == inode_) {
        unlink(path_.c_str());
    }
}

Status CommandSocket::listen(const Control& control) {
    if (path_.size() >= sizeof(sockaddr_un{}.sun_path)) {
        return Error{"control.socket \"" + path_ +
                     "\" is longer than the 107 octets of a socket's name"};
    }
    const std::string folder = path_.substr(0, path_.rfind('/') + 1);
    if (!folder.empty()) {
        mkdir(folder.c_str(), 0755);  // its last part only; where it fails, bind says why
    }
    if (Status status = clear_path(path_); !status) {
        return status;
    }
    std::error_code error;
    acceptor_.open(asio::local::stream_protocol{}, error);
    // Before it has a name, nobody can connect with the wider mode of an unlucky umask.
    if (!error && fchmod(acceptor_.native_handle(), socket_mode) == 0) {
        acceptor_.bind(asio::local::stream_protocol::endpoint{path_}, error);
    }
    if (!error) {
        acceptor_.listen(backlog_length, error);
    }
    if (error) {
        return Error{"control.socket \"" + path_ + "\" cannot be opened: " + error.message()};
    }
    struct stat found {};
    if (lstat(path_.c_str(), &found) == 0) {
        inode_ = found.st_ino;
    }
    const Result<Gatekeeper> gatekeeper = gatekeeper_of(control);
    if (!gatekeeper) {
        return gatekeeper.error();
    }
    gatekeeper_ = *gatekeeper;
    return give_to_groups(path_, gatekeeper_);
}

void CommandSocket::accept() {
    acceptor_.async_accept(loop_.turn(
        [this, weak = std::weak_ptr{life_}](const std::error_code& error, Socket socket) {
            if (!weak.expired()) {
                take_up(error, std::move(socket));
            }
        }));
}

void CommandSocket::take_up(const std::error_code& error, Socket socket) {
    if (error) {
        accept_again_.after(accept_again_delay, [this] { accept(); });
        return;
    }
    admit(std::move(socket));
    accept();
}

// One short line always fits into a fresh socket's buffer.
void CommandSocket::turn_away(Socket& socket, std::string code, std::string sentence) {
    const std::string line = render(Reply::refusal(std::move(code), std::move(sentence)));
    ::send(socket.native_handle(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void CommandSocket::admit(Socket socket) {
    const std::optional<Caller> caller = caller_of(socket.native_handle());
    const Permission permission = caller ? gatekeeper_.permission_of(*caller) : Permission::nothing;
    if (permission == Permission::nothing) {
        return turn_away(socket, "not_permitted",
                         "the director answers root and the members of control.group and "
                         "control.readers");
    }
    if (clients_.size() >= limits_.clients_max && !make_room()) {
        return turn_away(
            socket, "too_many_clients",
            std::to_string(limits_.clients_max) + " clients are being answered: try again later");
    }
    const auto client = std::make_shared<Client>(*this, std::move(socket), permission);
    clients_.insert(client);
    client->begin();
}

// At the cost of who has waited longest without asking. False: all are being answered.
bool CommandSocket::make_room() {
    std::shared_ptr<Client> longest;
    for (const auto& client : clients_) {
        if (client->waiting_since() &&
            (longest == nullptr || *client->waiting_since() < *longest->waiting_since())) {
            longest = client;
        }
    }
    if (longest != nullptr) {
        longest->leave();
    }
    return longest != nullptr;
}

}  // namespace fulcrum

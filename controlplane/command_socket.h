// The operator's door: a Unix stream socket that takes one request a line and gives one reply a
// line, to one client after the other's line and to many clients at once. It trusts nobody: lines,
// clients and waiting times are bounded, a client that does not read is dropped, one that keeps a
// place and asks nothing makes way for a newcomer, and whatever one client does, the next is
// served. Where there are readers, who may ask and change nothing, the kernel is asked who a client
// is. What a command means is somebody else's business. The control thread.
#pragma once

#include <sys/types.h>

#include <asio/local/stream_protocol.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <system_error>

#include "config/model/result.h"
#include "config/model/service.h"
#include "controlplane/caller.h"
#include "controlplane/event_loop.h"
#include "controlplane/request.h"

namespace fulcrum {

struct CommandLimits {
    std::size_t clients_max = 64;
    Duration idle = 30s;     // between a reply and the end of the next request
    Duration reading = 10s;  // for a client to take a reply
};

class CommandSocket {
  public:
    // To be called once, from any later turn; further calls are ignored.
    using Answer = std::function<void(const Reply&)>;
    using Serve = std::function<void(const Request&, Answer)>;

    // Refused when the path is taken by a live director or by something that is no socket; a socket
    // that nobody listens on is replaced.
    static Result<std::unique_ptr<CommandSocket>> open(EventLoop& loop, const Control& control,
                                                       Serve serve, CommandLimits limits = {});
    ~CommandSocket();
    CommandSocket(const CommandSocket&) = delete;
    CommandSocket& operator=(const CommandSocket&) = delete;

    std::size_t client_count() const { return clients_.size(); }

  private:
    class Client;
    using Socket = asio::local::stream_protocol::socket;

    CommandSocket(EventLoop& loop, std::string path, Serve serve, CommandLimits limits);

    Status listen(const Control& control);
    void accept();
    void take_up(const std::error_code& error, Socket socket);
    void admit(Socket socket);
    static void turn_away(Socket& socket, std::string code, std::string sentence);
    bool make_room();
    void forget(const std::shared_ptr<Client>& client) { clients_.erase(client); }

    EventLoop& loop_;
    std::string path_;
    Serve serve_;
    CommandLimits limits_;
    Gatekeeper gatekeeper_;
    asio::local::stream_protocol::acceptor acceptor_;
    Timer accept_again_;
    ino_t inode_ = 0;  // of the socket that we made: only that one is removed at the end
    std::set<std::shared_ptr<Client>> clients_;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // completions hold it weakly
};

}  // namespace fulcrum

// libmicrohttpd with an epoll thread of its own, on a listening socket of ours.
#include "controlplane/metrics_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace fulcrum {
namespace {

constexpr Duration page_age_max = 250ms;
constexpr int backlog_length = 256;
constexpr unsigned connections_max = 1'024;
constexpr unsigned connections_per_address_max = 960;  // some are left for the others
constexpr unsigned idle_s = 5;
constexpr std::size_t connection_memory = std::size_t{16} * 1024;  // bounds a request's head

MHD_Response* text_response(std::string_view text) {
    return MHD_create_response_from_buffer(text.size(),
                                           const_cast<char*>(text.data()),  // NOLINT: only read
                                           MHD_RESPMEM_MUST_COPY);
}

// What libmicrohttpd tells of a request at each call: first its head, then pieces of its body, at
// last that it is complete.
struct Told {
    std::string_view url;
    std::string_view method;
    std::size_t* upload_size;
    void** state;  // ours; null at the first call
};

// By HTTP's basic authentication (RFC 7617).
bool is_admitted(const MetricsServer& server, MHD_Connection* connection) {
    if (server.access().logins.empty()) {
        return true;
    }
    char* password = nullptr;
    char* const name = MHD_basic_auth_get_username_password(connection, &password);
    const bool is_known =
        name != nullptr && password != nullptr && server.access().admits(name, password);
    MHD_free(name);
    MHD_free(password);
    return is_known;
}

MHD_Result answer(MetricsServer& server, MHD_Connection* connection, const Told& told) {
    if (told.method != MHD_HTTP_METHOD_GET && told.method != MHD_HTTP_METHOD_HEAD) {
        return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, server.not_allowed());
    }
    const bool is_first = *told.state == nullptr;
    *told.state = &server;
    if (is_first || *told.upload_size != 0) {
        *told.upload_size = 0;
        return MHD_YES;
    }
    if (!is_admitted(server, connection)) {
        return MHD_queue_basic_auth_fail_response(connection, "metrics", server.not_admitted());
    }
    if (told.url != "/metrics") {
        return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, server.not_found());
    }
    MHD_Response* page = server.page();
    return page == nullptr ? MHD_NO : MHD_queue_response(connection, MHD_HTTP_OK, page);
}

constexpr MHD_AccessHandlerCallback on_request =
    [](void* self, MHD_Connection* connection, const char* url, const char* method,
       const char* /*version*/, const char* /*upload*/, std::size_t* upload_size, void** state) {
        return answer(*static_cast<MetricsServer*>(self), connection,
                      {url, method, upload_size, state});
    };

// Its length.
socklen_t write_address(const Endpoint& endpoint, sockaddr_storage& storage) {
    if (endpoint.address.is_v4()) {
        auto& address = reinterpret_cast<sockaddr_in&>(storage);
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = endpoint.address.v4().value.wire();
        address.sin_port = endpoint.port.wire();
        return sizeof(address);
    }
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, endpoint.address.v6().octets.data(), sizeof(in6_addr));
    address.sin6_port = endpoint.port.wire();
    return sizeof(address);
}

// At the same place in both families.
be16 port_in(const sockaddr_storage& storage) {
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    return be16::from_wire(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

}  // namespace

MetricsServer::MetricsServer(Render render, MetricsAccess access)
    : render_{std::move(render)},
      access_{std::move(access)},
      not_found_{text_response("nothing here: metrics are at /metrics\n")},
      not_allowed_{text_response("only GET is understood here\n")},
      not_admitted_{text_response("metrics are for those with a login\n")} {
    MHD_add_response_header(not_allowed_, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

MetricsServer::~MetricsServer() {
    if (daemon_ != nullptr) {
        MHD_stop_daemon(daemon_);  // joins its thread, closes the listening socket
    }
    for (MHD_Response* response : {not_found_, not_allowed_, not_admitted_, page_}) {
        if (response != nullptr) {
            MHD_destroy_response(response);
        }
    }
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(const Endpoint& listen, Render render,
                                                           MetricsAccess access) {
    std::unique_ptr<MetricsServer> made{new MetricsServer{std::move(render), std::move(access)}};
    if (Status status = made->listen(listen); !status) {
        return status.error();
    }
    return made;
}

Status MetricsServer::listen(const Endpoint& endpoint) {
    const auto refused = [&](int error) {
        return Error{"metrics.listen " + to_string(endpoint) +
                     " cannot be opened: " + std::generic_category().message(error)};
    };
    sockaddr_storage address{};
    socklen_t length = write_address(endpoint, address);
    const int socket = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) {
        return refused(errno);
    }
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket, generic, length) != 0 || ::listen(socket, backlog_length) != 0 ||
        getsockname(socket, generic, &length) != 0) {
        const int error = errno;
        close(socket);
        return refused(error);
    }
    endpoint_ = {endpoint.address, port_in(address)};
    const bool has_tls = !access_.certificate.empty();
    const std::array<MHD_OptionItem, 3> of_tls{
        {{MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(access_.certificate.c_str())},
         {MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(access_.key.c_str())},
         {MHD_OPTION_END, 0, nullptr}}};
    const MHD_OptionItem* const further = has_tls ? of_tls.data() : &of_tls.back();
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | (has_tls ? unsigned{MHD_USE_TLS} : 0U), 0, nullptr, nullptr,
        on_request, this, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        connection_memory, MHD_OPTION_ARRAY, further, MHD_OPTION_END);
    if (daemon_ == nullptr) {
        close(socket);
        return Error{
            "metrics.listen " + to_string(endpoint) +
            " is open, but the server could not be started" +
            (has_tls ? ": are metrics.certificate and metrics.key in PEM, and a pair?" : "")};
    }
    return done();
}

// Null when no page could be made.
MHD_Response* MetricsServer::page() {
    const Instant now = std::chrono::steady_clock::now();
    if (page_ != nullptr && now - rendered_at_ < page_age_max) {
        return page_;
    }
    const std::string text = render_();
    if (text.empty()) {
        return nullptr;
    }
    if (page_ != nullptr) {
        MHD_destroy_response(page_);  // whoever is still being sent it keeps it alive
    }
    page_ = text_response(text);
    MHD_add_response_header(page_, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "text/plain; version=0.0.4; charset=utf-8");
    rendered_at_ = now;
    return page_;
}

}  // namespace fulcrum

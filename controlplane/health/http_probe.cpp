// libcurl's multi interface on the loop; what is asked, and what an end means, is in http_request.
#include "controlplane/health/http_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/http_request.h"

namespace fulcrum {
namespace {

// An answer is judged by its first octets; a server that never ends is not waited for.
constexpr std::size_t head_size_max = std::size_t{64} * 1024;
constexpr long connections_kept_max = 1;  // none is reused; 0 would mean "as many as you like"

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

}  // namespace

struct HttpProber::Transfer {
    Transfer(HttpProber& prober, ProbeSpec probe_spec, Done when_done)
        : owner{prober}, spec{std::move(probe_spec)}, done{std::move(when_done)} {}

    static std::size_t on_head(const char* text, std::size_t one, std::size_t length, void* self);
    static std::size_t on_body(const char* text, std::size_t one, std::size_t length, void* self);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

    ProbeOutcome outcome(CURLcode code) const;

    HttpProber& owner;
    ProbeSpec spec;
    Done done;
    std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};
    CurlLists lists;
    std::array<char, CURL_ERROR_SIZE> trouble{};
    std::string body;
    std::size_t head_size = 0;
    bool is_cut = false;  // the body was longer than we read
    int open_error = 0;   // errno of socket(2)
    Transfers::iterator place;
};

HttpProber::HttpProber(EventLoop& loop) : loop_{loop}, timer_{loop} {
    curl_global_init(CURL_GLOBAL_DEFAULT);  // once a process would do; it counts its calls
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpProber::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpProber::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections_kept_max);
}

HttpProber::~HttpProber() {
    for (const auto& transfer : transfers_) {
        curl_multi_remove_handle(multi_, transfer->easy.get());
    }
    transfers_.clear();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
}

void HttpProber::probe(const ProbeSpec& spec, Done done) {
    transfers_.push_front(std::make_unique<Transfer>(*this, spec, std::move(done)));
    Transfer& transfer = *transfers_.front();
    transfer.place = transfers_.begin();
    // Once added, libcurl asks for a timer at once: the transfer starts in a later turn.
    if (transfer.easy == nullptr || !set_up(transfer) ||
        curl_multi_add_handle(multi_, transfer.easy.get()) != CURLM_OK) {
        refuse(std::move(transfer.done));
        transfers_.pop_front();
    }
}

void HttpProber::refuse(Done done) {
    loop_.post([done = std::move(done), life = std::weak_ptr{life_}] {
        if (!life.expired()) {
            done({ProbeVerdict::not_sent, "probe not sent: libcurl refused the transfer"});
        }
    });
}

bool HttpProber::set_up(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const bool is_asked = ask(easy, transfer.spec, transfer.lists);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.trouble.data());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpProber::on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    return is_asked;
}

int HttpProber::on_socket(CURL* /*easy*/, curl_socket_t socket, int action, void* self,
                          void* /*unused*/) {
    auto& prober = *static_cast<HttpProber*>(self);
    if (action == CURL_POLL_REMOVE) {
        prober.watches_.erase(socket);
        return 0;
    }
    auto& watch = prober.watches_[socket];
    if (watch == nullptr) {
        watch = std::make_unique<DescriptorWatch>(
            prober.loop_, socket, [&prober, socket](DescriptorWatch::Ready ready) {
                prober.act(socket, ready == DescriptorWatch::Ready::to_read ? CURL_CSELECT_IN
                                                                            : CURL_CSELECT_OUT);
            });
    }
    watch->want((action & CURL_POLL_IN) != 0, (action & CURL_POLL_OUT) != 0);
    return 0;
}

int HttpProber::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
    auto& prober = *static_cast<HttpProber*>(self);
    if (timeout_ms < 0) {
        prober.timer_.cancel();
    } else {
        prober.timer_.after(std::chrono::milliseconds{timeout_ms},
                            [&prober] { prober.act(CURL_SOCKET_TIMEOUT, 0); });
    }
    return 0;
}

int HttpProber::on_close(void* self, curl_socket_t socket) {
    static_cast<HttpProber*>(self)->watches_.erase(socket);
    return ::close(socket);
}

void HttpProber::act(curl_socket_t socket, int ready) {
    int running_count = 0;
    curl_multi_socket_action(multi_, socket, ready, &running_count);
    collect_finished();
}

void HttpProber::collect_finished() {
    int left_count = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left_count)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        ProbeOutcome outcome = transfer->outcome(message->data.result);
        const Done done = std::move(transfer->done);
        curl_multi_remove_handle(multi_, transfer->easy.get());
        transfers_.erase(transfer->place);
        done(std::move(outcome));
    }
}

std::size_t HttpProber::Transfer::on_head(const char* /*text*/, std::size_t /*one*/,
                                          std::size_t length, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.head_size += length;
    return transfer.head_size <= head_size_max ? length : 0;
}

std::size_t HttpProber::Transfer::on_body(const char* text, std::size_t /*one*/, std::size_t length,
                                          void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t room = answer_size_max - transfer.body.size();
    transfer.body.append(text, std::min(length, room));
    transfer.is_cut = length > room;
    return transfer.is_cut ? 0 : length;
}

curl_socket_t HttpProber::Transfer::on_open(void* self, curlsocktype /*purpose*/,
                                            curl_sockaddr* address) {
    const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                address->protocol);
    static_cast<Transfer*>(self)->open_error = socket < 0 ? errno : 0;
    return socket;
}

ProbeOutcome HttpProber::Transfer::outcome(CURLcode code) const {
    if (open_error != 0) {
        return outcome_of_refusal(open_error);
    }
    CurlEnd end{.code = code == CURLE_WRITE_ERROR && is_cut ? CURLE_OK : code,
                .trouble = trouble.data(),
                .body = body};
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &end.status);
    curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &end.os_error);
    return judge_end(spec, end);
}

}  // namespace fulcrum

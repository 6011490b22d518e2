// libcurl's multi interface on the loop, and one GET a probe.
#include "controlplane/health/http_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string>
#include <utility>

namespace fulcrum {
namespace {

// An answer is judged by its first octets; a server that never ends is not waited for.
constexpr std::size_t body_size_max = std::size_t{64} * 1024;
constexpr std::size_t head_size_max = std::size_t{64} * 1024;
constexpr long connections_kept_max = 1;  // none is reused; 0 would mean "as many as you like"

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string lower_first(std::string sentence) {
    if (!sentence.empty()) {
        sentence[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(sentence[0])));
    }
    return sentence;
}

bool is_wanted(const std::vector<StatusRange>& wanted, long status) {
    return std::ranges::any_of(wanted, [status](const StatusRange& range) {
        return status >= range.first && status <= range.last;
    });
}

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
    std::unique_ptr<curl_slist, FreeList> headers;
    std::string body;
    std::size_t head_size = 0;
    bool is_cut = false;  // the body was longer than we read
    int open_error = 0;   // errno of socket(2)
    Transfers::iterator place;
};

HttpProber::HttpProber(EventLoop& loop) : loop_{loop}, timer_{loop} {
    // Once a process would do; it counts its calls. No TLS: plain HTTP is all that is spoken here.
    curl_global_init(CURL_GLOBAL_NOTHING);
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
    curl_slist* list = curl_slist_append(nullptr, "Connection: close");
    if (!transfer.spec.check.host.empty()) {
        list = curl_slist_append(list, ("Host: " + transfer.spec.check.host).c_str());
    }
    transfer.headers.reset(list);
    const std::string url = "http://" + to_string(transfer.spec.target) + transfer.spec.check.path;
    const bool is_url = curl_easy_setopt(easy, CURLOPT_URL, url.c_str()) == CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "fulcrum/" FULCRUM_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpProber::on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    set_limits(transfer);
    return is_url;
}

void HttpProber::set_limits(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const long timeout_ms = static_cast<long>(transfer.spec.check.timeout.count());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    // A proxy in the environment would be asked instead of the real.
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
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
    const std::size_t room = body_size_max - transfer.body.size();
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
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && is_cut)) {
        long status = 0;
        curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
        return judge_answer(spec, status, body);
    }
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return outcome_of_timeout(spec);
        case CURLE_COULDNT_CONNECT: {
            long error = 0;
            curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &error);
            return outcome_of_refusal(error == 0 ? ECONNREFUSED : static_cast<int>(error));
        }
        case CURLE_OUT_OF_MEMORY:  // also what libcurl makes of a header line beyond 100 KB
        case CURLE_WRITE_ERROR:
            return {ProbeVerdict::failure, "the answer's head is too long"};
        case CURLE_GOT_NOTHING:
            return {ProbeVerdict::failure, "connection closed without an answer"};
        case CURLE_PARTIAL_FILE:
            return {ProbeVerdict::failure, "connection closed before the answer's end"};
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return {ProbeVerdict::failure, "the answer is not HTTP"};
        default:
            return {ProbeVerdict::failure, lower_first(curl_easy_strerror(code))};
    }
}

ProbeOutcome judge_answer(const ProbeSpec& spec, long status, std::string_view body) {
    const std::string seen = "HTTP " + std::to_string(status);
    if (!is_wanted(spec.check.status, status)) {
        return {ProbeVerdict::failure, seen + ", wanted " + to_string(spec.check.status)};
    }
    if (body.find(spec.check.expect) == std::string_view::npos) {
        return {ProbeVerdict::failure, seen + ", body lacks \"" + spec.check.expect + "\""};
    }
    return {ProbeVerdict::success, seen};
}

}  // namespace fulcrum

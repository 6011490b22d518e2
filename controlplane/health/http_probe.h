// Probes that ask a web server for a page and judge the answer: its status, and the text in its
// body if one is expected. All transfers share one libcurl multi handle that is driven by the
// loop's own watches and timer, so that a thousand servers that accept and never answer cost
// nothing but their descriptors. The control thread.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string_view>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

class HttpProber : public Prober {
  public:
    explicit HttpProber(EventLoop& loop);
    ~HttpProber() override;

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Transfer;
    using Transfers = std::list<std::unique_ptr<Transfer>>;

    // What libcurl calls; `self` is the prober.
    static int on_socket(CURL* easy, curl_socket_t socket, int action, void* self, void* unused);
    static int on_timer(CURLM* multi, long timeout_ms, void* self);
    static int on_close(void* self, curl_socket_t socket);

    void refuse(Done done);
    bool set_up(Transfer& transfer);
    void set_limits(Transfer& transfer);
    void act(curl_socket_t socket, int ready);
    void collect_finished();

    EventLoop& loop_;
    CURLM* multi_;
    Transfers transfers_;
    std::map<curl_socket_t, std::unique_ptr<DescriptorWatch>> watches_;
    Timer timer_;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // what is posted holds it weakly
};

// What an answer of this status and body amounts to. Pure.
ProbeOutcome judge_answer(const ProbeSpec& spec, long status, std::string_view body);

}  // namespace fulcrum

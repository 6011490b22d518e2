// Probes that ask a web server for a page, within TLS too, and judge the answer: its status, and
// its body if one is described. All transfers share one libcurl multi handle that is driven by the
// loop's own watches and timer, so that a thousand servers that accept and never answer cost
// nothing but their descriptors. (libcurl's other protocols are not for a loop: a mail or file
// server that hangs is waited for within the call, to say goodbye.) The control thread.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <list>
#include <map>
#include <memory>

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
    void act(curl_socket_t socket, int ready);
    void collect_finished();

    EventLoop& loop_;
    CURLM* multi_;
    Transfers transfers_;
    std::map<curl_socket_t, std::unique_ptr<DescriptorWatch>> watches_;
    Timer timer_;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // what is posted holds it weakly
};

}  // namespace fulcrum

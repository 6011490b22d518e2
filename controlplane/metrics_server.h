// Serves the metrics page over HTTP on a thread of its own, so that neither a slow scraper nor a
// thousand stalled connections concern anybody else. A page is made at most four times a second,
// however many ask. GET /metrics is all there is; where there are logins, to those who have one,
// and where there is a certificate, within TLS.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/model/address.h"
#include "config/model/result.h"
#include "config/model/time.h"
#include "controlplane/metrics_access.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

namespace fulcrum {

class MetricsServer {
  public:
    // Called on the server's thread. Instead of an empty page the connection is closed.
    using Render = std::function<std::string()>;

    static Result<std::unique_ptr<MetricsServer>> open(const Endpoint& listen, Render render,
                                                       MetricsAccess access = {});
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    Endpoint endpoint() const { return endpoint_; }  // with the port that was given for port 0

    // For the server's own thread only.
    MHD_Response* page();
    MHD_Response* not_found() const { return not_found_; }
    MHD_Response* not_allowed() const { return not_allowed_; }
    MHD_Response* not_admitted() const { return not_admitted_; }
    const MetricsAccess& access() const { return access_; }

  private:
    MetricsServer(Render render, MetricsAccess access);

    Status listen(const Endpoint& endpoint);

    Render render_;
    const MetricsAccess access_;
    Endpoint endpoint_;
    MHD_Daemon* daemon_ = nullptr;
    MHD_Response* not_found_;
    MHD_Response* not_allowed_;
    MHD_Response* not_admitted_;
    MHD_Response* page_ = nullptr;  // the server's thread
    Instant rendered_at_{};         // the server's thread
};

}  // namespace fulcrum

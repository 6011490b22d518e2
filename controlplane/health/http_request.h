// What is asked of libcurl for a probe, and what the end of a transfer says of the server. Pure,
// but for the handle that it fills in.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

#include "controlplane/health/probe.h"

namespace fulcrum {

struct FreeCurlList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, FreeCurlList>;

// What a handle refers to: it lives as long as that.
struct CurlLists {
    CurlList headers;
    CurlList connect_to;
};

// Whether libcurl takes the request.
bool ask(CURL* easy, const ProbeSpec& spec, CurlLists& lists);

struct CurlEnd {
    CURLcode code = CURLE_OK;
    std::string_view trouble;  // libcurl's own words, if any
    long os_error = 0;         // an errno
    long status = 0;           // the server's last, where the protocol has such
    std::string_view body;     // as much of it as is read
};

ProbeOutcome judge_end(const ProbeSpec& spec, const CurlEnd& end);

}  // namespace fulcrum

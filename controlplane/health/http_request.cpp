// The request, option by option, then the ends.
#include "controlplane/health/http_request.h"

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "controlplane/health/answer_rule.h"

namespace fulcrum {
namespace {

bool is_within_tls(CheckType type) { return facts_of(type).knows(CheckKey::tls); }

void append(CurlList& list, const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
}

// Under its own name, where TLS is to hear it; connected to is the real in any case.
std::string authority_of(const ProbeSpec& spec, CurlLists& lists) {
    const std::string name =
        is_within_tls(spec.check.type) ? server_name_of(spec.check.host) : std::string{};
    if (name.empty()) {
        return to_string(spec.target);
    }
    append(lists.connect_to, "::" + to_string(spec.target));
    return name + ":" + std::to_string(spec.target.port.host());
}

void ask_for_page(CURL* easy, const Check& check, CurlLists& lists) {
    append(lists.headers, "Connection: close");
    if (!check.host.empty()) {
        append(lists.headers, "Host: " + check.host);
    }
    for (const std::string& header : check.headers) {
        append(lists.headers, header);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lists.headers.get());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "fulcrum/" FULCRUM_VERSION);
    const long version = !check.http2                     ? CURL_HTTP_VERSION_1_1
                         : check.type == CheckType::https ? CURL_HTTP_VERSION_2TLS
                                                          : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    if (check.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (check.method != "GET") {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, check.method.c_str());
    }
}

void ask_within_tls(CURL* easy, const Check& check) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, check.verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, check.verify ? 2L : 0L);
    if (!check.verify) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);  // or it would be read all the same
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    } else if (!check.ca_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, check.ca_file.c_str());
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    }
}

void set_limits(CURL* easy, const ProbeSpec& spec) {
    const long timeout_ms = static_cast<long>(spec.check.timeout.count());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    // A proxy in the environment would be asked instead of the real.
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

std::string lower_first(std::string_view words) {
    std::string sentence{words};
    if (sentence.size() > 1 && std::islower(static_cast<unsigned char>(sentence[1])) != 0) {
        sentence[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(sentence[0])));
    }
    return sentence;
}

std::string own_words(const CurlEnd& end) {
    return lower_first(end.trouble.empty() ? curl_easy_strerror(end.code) : end.trouble);
}

bool is_wanted(const std::vector<StatusRange>& wanted, long status) {
    return std::ranges::any_of(wanted, [status](const StatusRange& range) {
        return status >= range.first && status <= range.last;
    });
}

ProbeOutcome judge_answer(const Check& check, const CurlEnd& end) {
    const std::string seen = "HTTP " + std::to_string(end.status);
    if (!is_wanted(check.status, end.status)) {
        return {ProbeVerdict::failure, seen + ", wanted " + to_string(check.status)};
    }
    const AnswerRule rule{check};
    if (!rule.fits(end.body)) {
        return {ProbeVerdict::failure, seen + ", body lacks " + rule.lack_of(end.body)};
    }
    return {ProbeVerdict::success, seen};
}

std::string sentence_of(const CurlEnd& end) {
    switch (end.code) {
        case CURLE_OUT_OF_MEMORY:  // also what libcurl makes of a header line beyond 100 KB
        case CURLE_WRITE_ERROR:
            return "the answer's head is too long";
        case CURLE_GOT_NOTHING:
            return "connection closed without an answer";
        case CURLE_PARTIAL_FILE:
            return "connection closed before the answer's end";
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return "the answer is not HTTP";
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
            return "TLS: " + own_words(end);
        default:
            return own_words(end);
    }
}

}  // namespace

bool ask(CURL* easy, const ProbeSpec& spec, CurlLists& lists) {
    const Check& check = spec.check;
    const std::string scheme{to_string(check.type)};
    const std::string url = scheme + "://" + authority_of(spec, lists) + check.path;
    const bool is_url = curl_easy_setopt(easy, CURLOPT_URL, url.c_str()) == CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, scheme.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, lists.connect_to.get());
    ask_for_page(easy, check, lists);
    if (is_within_tls(check.type)) {
        ask_within_tls(easy, check);
    }
    set_limits(easy, spec);
    return is_url;
}

ProbeOutcome judge_end(const ProbeSpec& spec, const CurlEnd& end) {
    switch (end.code) {
        case CURLE_OK:
            return judge_answer(spec.check, end);
        case CURLE_OPERATION_TIMEDOUT:
            return outcome_of_timeout(spec);
        case CURLE_COULDNT_CONNECT:
            return outcome_of_refusal(end.os_error == 0 ? ECONNREFUSED
                                                        : static_cast<int>(end.os_error));
        case CURLE_SSL_CACERT_BADFILE:
            return {ProbeVerdict::not_sent, "probe not sent: " + own_words(end)};
        default:
            return {ProbeVerdict::failure, sentence_of(end)};
    }
}

}  // namespace fulcrum

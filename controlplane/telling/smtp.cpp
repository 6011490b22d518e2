// libcurl's easy interface: the transfer has a thread of its own.
#include "controlplane/telling/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace fulcrum {
namespace {

constexpr long connect_s_max = 10;
constexpr long transfer_s_max = 30;

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// libcurl's callbacks; the signatures are its own.
std::size_t give(char* into, std::size_t one, std::size_t room, void* rest) {
    auto& text = *static_cast<std::string_view*>(rest);
    const std::size_t length = std::min(text.size(), one * room);
    std::memcpy(into, text.data(), length);
    text.remove_prefix(length);
    return length;
}
int look_whether_to_stop(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

}  // namespace

Status send_mail(const Envelope& envelope, const std::string& message,
                 const std::atomic<bool>& is_stopping) {
    const std::unique_ptr<CURL, FreeEasy> owner{curl_easy_init()};
    CURL* const easy = owner.get();
    if (easy == nullptr) {
        return Error{"libcurl gives no handle"};
    }
    curl_slist* list = nullptr;
    for (const std::string& address : envelope.to) {
        list = curl_slist_append(list, ("<" + address + ">").c_str());
    }
    const std::unique_ptr<curl_slist, FreeList> recipients{list};
    std::string_view rest{message};
    const std::string url = "smtp://" + envelope.server;
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, ("<" + envelope.from + ">").c_str());
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &give);
    curl_easy_setopt(easy, CURLOPT_READDATA, &rest);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_s_max);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, transfer_s_max);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &look_whether_to_stop);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&is_stopping));
    char words[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    const CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK) {
        return done();
    }
    return Error{words[0] != '\0' ? words : curl_easy_strerror(code)};
}

}  // namespace fulcrum

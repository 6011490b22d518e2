// A TCP server that plays a part, with or without TLS under a certificate of its own making, one
// client at a time, on a thread of its own and with plain blocking sockets: nothing in it comes
// from the product.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config/model/address.h"

namespace fulcrum {

class ScriptServer {
  public:
    struct Script {
        std::string greeting;
        // What is answered to what has come; called on the server's thread. Nothing: it hangs up.
        std::function<std::optional<std::string>(const std::string& heard)> answer;
        // Speaks within TLS under a certificate for this name; empty: in plain.
        std::string tls_name;
        // In plain until a client has said this, which is answered as the next line says.
        std::string upgrades_on = "";
        std::string upgrade_answer = "";
    };

    explicit ScriptServer(Script script)
        : script_{std::move(script)}, context_{SSL_CTX_new(TLS_server_method())} {
        signal(SIGPIPE, SIG_IGN);  // SSL_write() knows no MSG_NOSIGNAL
        if (!script_.tls_name.empty()) {
            certify(script_.tls_name);
        }
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        ::listen(listener_, 16);
        socklen_t length = sizeof(address);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~ScriptServer() {
        is_stopping_ = true;
        thread_.join();
        ::close(listener_);
        SSL_CTX_free(context_);
    }

    Endpoint at() const { return {Ipv4Address::of(127, 0, 0, 1), be16{port_}}; }
    // Its certificate in PEM, for clients that are to trust it.
    void write_certificate(const std::string& path) const {
        std::FILE* file = std::fopen(path.c_str(), "w");
        PEM_write_X509(file, SSL_CTX_get0_certificate(context_));
        std::fclose(file);
    }
    // What the last client within TLS called it; empty: nothing.
    std::string name_asked_for() const {
        const std::lock_guard lock{mutex_};
        return name_asked_for_;
    }
    // All that clients have said.
    std::string heard() const {
        const std::lock_guard lock{mutex_};
        return heard_;
    }

  private:
    void certify(const std::string& name) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
        X509_set_pubkey(certificate, key);
        X509_NAME* subject = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(certificate, subject);
        X509_EXTENSION* names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
        X509_add_ext(certificate, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate, key, EVP_sha256());
        SSL_CTX_use_certificate(context_, certificate);
        SSL_CTX_use_PrivateKey(context_, key);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }

    void serve() {
        while (!is_stopping_) {
            if (!is_readable(listener_)) {
                continue;
            }
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            SSL* tls = nullptr;
            bool is_sound = true;
            if (!script_.tls_name.empty() && script_.upgrades_on.empty()) {
                tls = begin_tls(connection);
                is_sound = tls != nullptr;
            }
            if (is_sound) {
                converse(connection, tls);
            } else {
                ::close(connection);
            }
        }
    }

    // Null: the client does not take part.
    SSL* begin_tls(int connection) {
        SSL* tls = SSL_new(context_);
        SSL_set_fd(tls, connection);
        if (SSL_accept(tls) != 1) {
            SSL_free(tls);
            return nullptr;
        }
        const std::lock_guard lock{mutex_};
        const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
        name_asked_for_ = name == nullptr ? "" : name;
        return tls;
    }

    static bool is_readable(int descriptor) {
        pollfd ready{descriptor, POLLIN, 0};
        return ::poll(&ready, 1, 20) == 1;
    }

    // Closes it in the end.
    void converse(int connection, SSL* tls) {
        talk(connection, tls);
        SSL_free(tls);
        ::close(connection);
    }

    void talk(int connection, SSL*& tls) {
        const auto say = [&](const std::string& words) {
            if (tls != nullptr) {
                SSL_write(tls, words.data(), static_cast<int>(words.size()));
            } else {
                ::send(connection, words.data(), words.size(), MSG_NOSIGNAL);
            }
        };
        if (!script_.greeting.empty()) {
            say(script_.greeting);
        }
        std::array<char, 4'096> room;
        while (!is_stopping_) {
            if ((tls == nullptr || SSL_pending(tls) == 0) && !is_readable(connection)) {
                continue;
            }
            const auto count =
                tls != nullptr ? SSL_read(tls, room.data(), static_cast<int>(room.size()))
                               : static_cast<int>(::recv(connection, room.data(), room.size(), 0));
            if (count <= 0) {
                return;
            }
            const std::string octets{room.data(), static_cast<std::size_t>(count)};
            {
                const std::lock_guard lock{mutex_};
                heard_ += octets;
            }
            if (tls == nullptr && !script_.upgrades_on.empty() && octets == script_.upgrades_on) {
                say(script_.upgrade_answer);
                tls = begin_tls(connection);
                if (tls == nullptr) {
                    return;
                }
                continue;
            }
            const std::optional<std::string> answer = script_.answer(octets);
            if (!answer) {
                return;
            }
            say(*answer);
        }
    }

    const Script script_;
    SSL_CTX* context_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> is_stopping_{false};
    mutable std::mutex mutex_;
    std::string name_asked_for_;  // under mutex_
    std::string heard_;           // under mutex_
    std::thread thread_;
};

}  // namespace fulcrum

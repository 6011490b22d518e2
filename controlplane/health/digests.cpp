// One call of EVP's for each.
#include "controlplane/health/digests.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cassert>

namespace fulcrum {
namespace {

using Room = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const unsigned char* bytes(std::string_view octets) {
    return reinterpret_cast<const unsigned char*>(octets.data());
}

std::string text_of(const Room& room, unsigned length) {
    return {reinterpret_cast<const char*>(room.data()), length};
}

std::string digest(const EVP_MD* kind, std::string_view octets) {
    Room room;
    unsigned length = 0;
    EVP_Digest(octets.data(), octets.size(), room.data(), &length, kind, nullptr);
    return text_of(room, length);
}

std::string hmac(const EVP_MD* kind, std::string_view key, std::string_view octets) {
    Room room;
    unsigned length = 0;
    HMAC(kind, key.data(), static_cast<int>(key.size()), bytes(octets), octets.size(), room.data(),
         &length);
    return text_of(room, length);
}

}  // namespace

std::string md5(std::string_view octets) { return digest(EVP_md5(), octets); }
std::string sha1(std::string_view octets) { return digest(EVP_sha1(), octets); }
std::string sha256(std::string_view octets) { return digest(EVP_sha256(), octets); }
std::string hmac_md5(std::string_view key, std::string_view octets) {
    return hmac(EVP_md5(), key, octets);
}
std::string hmac_sha256(std::string_view key, std::string_view octets) {
    return hmac(EVP_sha256(), key, octets);
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int rounds) {
    std::string key(32, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt),
                      static_cast<int>(salt.size()), rounds, EVP_sha256(),
                      static_cast<int>(key.size()), reinterpret_cast<unsigned char*>(key.data()));
    return key;
}

std::string xor_of(std::string_view a, std::string_view b) {
    assert(a.size() == b.size());
    std::string result{a};
    for (std::size_t at = 0; at < result.size(); ++at) {
        result[at] = static_cast<char>(result[at] ^ b[at]);
    }
    return result;
}

std::string in_hexadecimal(std::string_view octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char octet : octets) {
        const auto value = static_cast<unsigned char>(octet);
        text += {digits[value >> 4U], digits[value & 0xFU]};
    }
    return text;
}

std::string in_base64(std::string_view octets) {
    std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');  // and the NUL that OpenSSL writes
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes(octets),
                                       static_cast<int>(octets.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::string from_base64(std::string_view text) {
    std::string octets(text.size(), '\0');
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()), bytes(text),
                                       static_cast<int>(text.size()));
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    octets.resize(length < 0 ? 0 : static_cast<std::size_t>(length) - padding);
    return octets;
}

std::string random_octets(std::size_t count) {
    std::string octets(count, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(count));
    return octets;
}

}  // namespace fulcrum

// The digests that logins are proved by, over OpenSSL. Octets in, octets out. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace fulcrum {

std::string md5(std::string_view octets);
std::string sha1(std::string_view octets);
std::string sha256(std::string_view octets);
std::string hmac_md5(std::string_view key, std::string_view octets);
std::string hmac_sha256(std::string_view key, std::string_view octets);
// RFC 8018's PBKDF2 by HMAC-SHA-256, of 32 octets.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int rounds);

// Of equal lengths.
std::string xor_of(std::string_view a, std::string_view b);
std::string in_hexadecimal(std::string_view octets);  // small letters
std::string in_base64(std::string_view octets);
std::string from_base64(std::string_view text);  // "": malformed
std::string random_octets(std::size_t count);

}  // namespace fulcrum

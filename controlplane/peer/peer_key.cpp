// BLAKE2b, keyed, as libsodium has it.
#include "controlplane/peer/peer_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "controlplane/kernel/errno_words.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

constexpr std::size_t digits_min = 64;
constexpr std::size_t digits_max = 1'024;

SealKey derived(const SealKey& secret, std::string_view purpose, const SessionId& first = {},
                const SessionId& second = {}) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, secret.data(), secret.size(), sizeof(SealKey));
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(purpose.data()),
                              purpose.size());
    crypto_generichash_update(&state, first.data(), first.size());
    crypto_generichash_update(&state, second.data(), second.size());
    SealKey key;
    crypto_generichash_final(&state, key.data(), key.size());
    return key;
}

}  // namespace

Result<PairKey> PairKey::from_line(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) {
        line.remove_suffix(1);
    }
    std::vector<unsigned char> octets(digits_max / 2);
    std::size_t length = 0;
    const char* end = nullptr;
    const bool is_hex = line.size() >= digits_min && line.size() <= digits_max &&
                        line.size() % 2 == 0 &&
                        sodium_hex2bin(octets.data(), octets.size(), line.data(), line.size(),
                                       nullptr, &length, &end) == 0 &&
                        end == line.data() + line.size();
    if (!is_hex) {
        return Error{
            "is not one line of 64 to 1024 hexadecimal digits, as fulcrumctl pair-key makes one"};
    }
    SealKey secret;
    crypto_generichash(secret.data(), secret.size(), octets.data(), length, nullptr, 0);
    sodium_memzero(octets.data(), octets.size());
    return PairKey{secret};
}

Result<PairKey> PairKey::load(const std::string& path) {
    const std::string label = "pair: key: " + path + ": ";
    const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat found {};
    if (!file.is_open() || fstat(file.get(), &found) != 0) {
        return Error{label + errno_words(errno) +
                     "; fulcrumctl pair-key makes one, which the peer needs too"};
    }
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error{label + "others than its owner may read or write it: chmod 600 " + path};
    }
    if (found.st_uid != 0 && found.st_uid != geteuid()) {
        return Error{label + "belongs to somebody else than root and the director's user"};
    }
    std::string line(digits_max + 2, '\0');
    const ssize_t length = read(file.get(), line.data(), line.size());
    if (length < 0) {
        return Error{label + errno_words(errno)};
    }
    line.resize(static_cast<std::size_t>(length));
    Result<PairKey> key = from_line(line);
    sodium_memzero(line.data(), line.size());
    return key ? key : Result<PairKey>{Error{label + key.error().sentence}};
}

SealKey PairKey::greeting_key() const { return derived(secret_, "fulcrum pair: greeting"); }

SealKey PairKey::key_for(const SessionId& sender, const SessionId& receiver) const {
    return derived(secret_, "fulcrum pair: session", sender, receiver);
}

SessionId random_session_id() {
    SessionId id;
    randombytes_buf(id.data(), id.size());
    return id;
}

}  // namespace fulcrum

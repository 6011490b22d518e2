// libsodium's part, and the window of counters.
#include "controlplane/peer/peer_seal.h"

#include <sodium.h>

#include <algorithm>

namespace fulcrum {
namespace {

constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
static_assert(nonce_size == 24 && crypto_aead_xchacha20poly1305_ietf_ABYTES == peer_seal_size);
using Nonce = std::array<std::uint8_t, nonce_size>;

Octets head_of(EnvelopeKind kind, const SessionId& sender, std::uint64_t counter) {
    Octets head;
    OctetWriter out{head};
    out.number(std::uint8_t{'F'});
    out.number(std::uint8_t{'P'});
    out.number(peer_wire_version);
    out.number(static_cast<std::uint8_t>(kind));
    out.number(short_form(sender));
    out.number(counter);
    return head;
}

Nonce nonce_of(std::uint64_t counter) {
    Nonce nonce{};
    for (std::size_t i = 0; i < sizeof(counter); ++i) {
        nonce[i] = static_cast<std::uint8_t>(counter >> (8 * i));
    }
    return nonce;
}

// Appends to `outside`, of which the head is vouched for.
Octets sealed(Octets outside, const SealKey& key, const Nonce& nonce,
              std::span<const std::uint8_t> inside) {
    const std::size_t before = outside.size();
    outside.resize(before + inside.size() + peer_seal_size);
    crypto_aead_xchacha20poly1305_ietf_encrypt(outside.data() + before, nullptr, inside.data(),
                                               inside.size(), outside.data(), peer_head_size,
                                               nullptr, nonce.data(), key.data());
    return outside;
}

}  // namespace

std::optional<Envelope> read_envelope(std::span<const std::uint8_t> datagram) {
    OctetReader in{datagram};
    const bool is_ours = in.number<std::uint8_t>() == 'F' && in.number<std::uint8_t>() == 'P' &&
                         in.number<std::uint8_t>() == peer_wire_version;
    const auto kind = in.number<std::uint8_t>();
    Envelope envelope;
    envelope.session = in.number<std::uint64_t>();
    envelope.counter = in.number<std::uint64_t>();
    if (!is_ours || !in.is_sound() || (kind != 1 && kind != 2) ||
        datagram.size() > peer_datagram_max) {
        return std::nullopt;
    }
    envelope.kind = static_cast<EnvelopeKind>(kind);
    const std::size_t outside =
        peer_head_size + (envelope.kind == EnvelopeKind::greeting ? nonce_size : 0);
    if (datagram.size() < outside + peer_seal_size) {
        return std::nullopt;
    }
    envelope.sealed = datagram.subspan(outside);
    return envelope;
}

Octets seal_greeting(const SealKey& key, const SessionId& sender,
                     std::span<const std::uint8_t> inside) {
    Nonce nonce;
    randombytes_buf(nonce.data(), nonce.size());
    Octets outside = head_of(EnvelopeKind::greeting, sender, 0);
    outside.insert(outside.end(), nonce.begin(), nonce.end());
    return sealed(std::move(outside), key, nonce, inside);
}

Octets seal(const SealKey& key, const SessionId& sender, std::uint64_t counter,
            std::span<const std::uint8_t> inside) {
    return sealed(head_of(EnvelopeKind::session, sender, counter), key, nonce_of(counter), inside);
}

std::optional<Octets> open_seal(const SealKey& key, std::span<const std::uint8_t> datagram) {
    const std::optional<Envelope> envelope = read_envelope(datagram);
    if (!envelope) {
        return std::nullopt;
    }
    Nonce nonce = nonce_of(envelope->counter);
    if (envelope->kind == EnvelopeKind::greeting) {
        std::copy_n(datagram.begin() + peer_head_size, nonce_size, nonce.begin());
    }
    Octets inside(envelope->sealed.size() - peer_seal_size);
    const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
        inside.data(), nullptr, nullptr, envelope->sealed.data(), envelope->sealed.size(),
        datagram.data(), peer_head_size, nonce.data(), key.data());
    return opened == 0 ? std::optional{std::move(inside)} : std::nullopt;
}

bool ReplayWindow::take(std::uint64_t counter) {
    if (counter + width < next_ || counter == UINT64_MAX) {
        return false;
    }
    if (counter >= next_) {
        const std::uint64_t passed = std::min<std::uint64_t>(counter + 1 - next_, width);
        for (std::uint64_t i = 0; i < passed; ++i) {
            is_taken_.reset((counter - i) % width);
        }
        next_ = counter + 1;
    } else if (is_taken_.test(counter % width)) {
        return false;
    }
    is_taken_.set(counter % width);
    return true;
}

}  // namespace fulcrum

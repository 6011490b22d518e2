// Both ways, side by side.
#include "controlplane/peer/config_wire.h"

#include "config/file_limits.h"
#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {
namespace {

constexpr std::size_t sentence_max = 255;

void put(OctetWriter& out, const ConfigStanding& standing) {
    out.number(standing.version.us);
    out.number(standing.checksum);
}

ConfigStanding get_standing(OctetReader& in) {
    ConfigStanding standing;
    standing.version.us = in.number<std::uint64_t>();
    standing.checksum = in.number<std::uint64_t>();
    return standing;
}

}  // namespace

Octets standing_message(const ConfigStanding& standing) {
    Octets message;
    begin_message(message, PeerMessageKind::standing);
    OctetWriter out{message};
    put(out, standing);
    return message;
}

Octets part_message(const ConfigPart& part) {
    Octets message;
    begin_message(message, PeerMessageKind::part);
    OctetWriter out{message};
    put(out, part.of);
    out.number(part.length);
    out.number(part.offset);
    message.insert(message.end(), part.octets.begin(), part.octets.end());
    return message;
}

Octets verdict_message(const ConfigVerdict& verdict) {
    Octets message;
    begin_message(message, PeerMessageKind::verdict);
    OctetWriter out{message};
    out.number(verdict.version.us);
    out.flag(verdict.is_applied);
    out.number(verdict.epoch);
    for (const std::string& sentence : verdict.sentences) {
        const std::string_view told = std::string_view{sentence}.substr(0, sentence_max);
        if (message.size() + 1 + told.size() > PeerChannel::message_max) {
            break;
        }
        out.text(told);
    }
    return message;
}

bool read_rest(OctetReader& in, ConfigStanding& standing) {
    standing = get_standing(in);
    return in.is_sound() && in.is_at_end();
}

bool read_rest(OctetReader& in, ConfigPart& part) {
    part.of = get_standing(in);
    part.length = in.number<std::uint32_t>();
    part.offset = in.number<std::uint32_t>();
    const std::span<const std::uint8_t> octets = in.rest();
    part.octets.assign(octets.begin(), octets.end());
    return in.is_sound() && part.length <= limits::file_size_max && part.offset < part.length &&
           !part.octets.empty() && part.octets.size() <= part.length - part.offset;
}

bool read_rest(OctetReader& in, ConfigVerdict& verdict) {
    verdict.version.us = in.number<std::uint64_t>();
    verdict.is_applied = in.flag();
    verdict.epoch = in.number<std::uint64_t>();
    while (in.is_sound() && !in.is_at_end()) {
        verdict.sentences.push_back(in.text());
    }
    return in.is_sound() && (verdict.is_applied || !verdict.sentences.empty());
}

}  // namespace fulcrum

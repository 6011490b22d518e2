// Sets of four records, and stretches that merge.
#include "dataplane/fragments.h"

#include <sys/random.h>

#include <algorithm>

#include "dataplane/parse_ipv6.h"

namespace fulcrum {

namespace {

HashKey random_key() {
    HashKey key;
    [[maybe_unused]] const ssize_t taken = getrandom(&key, sizeof(key), 0);
    return key;
}

}  // namespace

static_assert(limits::datagrams_in_fragments_max % 4 == 0);

FragmentPlace fragment_place_of(const std::uint8_t* frame, const ParsedPacket& packet) {
    const std::size_t length = sizeof(EthernetHeader) + packet.ip_length - packet.l4_offset;
    const auto units = static_cast<std::uint16_t>((length + 7) / 8);
    if (packet.ip_version == 6) {
        const Ipv6Header& ip = ipv6_header_of(frame);
        const auto& header =
            *reinterpret_cast<const Ipv6ExtensionHeader*>(frame + packet.quotation_offset);
        const auto begin = static_cast<std::uint16_t>(header.third_and_fourth.host() >> 3);
        return {{ip.source, ip.destination, header.rest.wire()},
                {begin, static_cast<std::uint16_t>(begin + units)}};
    }
    const Ipv4Header& ip = ipv4_header_of(frame);
    const auto begin = static_cast<std::uint16_t>(ip.fragment_offset());
    const std::uint64_t number = (std::uint64_t{ip.protocol} << 16) | ip.identification.wire();
    return {{ip.source, ip.destination, number},
            {begin, static_cast<std::uint16_t>(begin + units)}};
}

// Nobody may know in which set a datagram falls, or a few of his would make us forget it.
FragmentTable::FragmentTable()
    : key_{random_key()},
      records_{std::make_unique<Record[]>(limits::datagrams_in_fragments_max)} {}

std::size_t FragmentTable::set_of(const DatagramKey& datagram) const {
    const Ipv6Address& source = datagram.source.v6();
    const Ipv6Address& destination = datagram.destination.v6();
    const std::uint64_t of_source = hash_words(key_, source.word(0), source.word(1));
    const std::uint64_t of_destination = hash_words(key_, destination.word(0), destination.word(1));
    const std::uint64_t hash = hash_words(key_, of_source ^ datagram.number, of_destination);
    return ways * scaled(static_cast<std::uint32_t>(hash),
                         static_cast<std::uint32_t>(limits::datagrams_in_fragments_max / ways));
}

FragmentTable::Record* FragmentTable::look_up(const DatagramKey& datagram) const {
    Record* const set = &records_[set_of(datagram)];
    Record* const found = std::find_if(
        set, set + ways, [&](const Record& record) { return record.datagram == datagram; });
    return found == set + ways ? nullptr : found;
}

void FragmentTable::remember(const FragmentPlace& first, const Decision& decision,
                             std::uint32_t now_s) {
    const DatagramKey& datagram = first.datagram;
    Record* record = look_up(datagram);
    if (record != nullptr && record->until_s >= now_s && covers(*record, first.stretch)) {
        return;
    }
    if (record == nullptr) {
        Record* const set = &records_[set_of(datagram)];
        record = std::min_element(set, set + ways, [](const Record& a, const Record& b) {
            return a.until_s < b.until_s;
        });
        record->datagram = datagram;
        record->until_s = 0;
    }
    if (record->until_s < now_s) {  // the identification has come round again
        record->stretch_count = 0;
    }
    record->until_s = now_s + limits::fragments_follow_s;
    record->decision = decision;
    ++news_count_;
}

const Decision* FragmentTable::find(const DatagramKey& datagram, std::uint32_t now_s) const {
    const Record* const record = look_up(datagram);
    return record == nullptr || record->until_s < now_s ? nullptr : &record->decision;
}

bool FragmentTable::cover(const DatagramKey& datagram, Stretch stretch) {
    Record* const record = look_up(datagram);
    return record == nullptr || cover(*record, stretch);
}

bool FragmentTable::covers(const Record& record, Stretch stretch) {
    return std::any_of(record.stretches.begin(), record.stretches.begin() + record.stretch_count,
                       [&](const Stretch& known) {
                           return known.begin < stretch.end && stretch.begin < known.end;
                       });
}

// Neighbours that touch become one, so that fragments in order are one stretch that grows.
bool FragmentTable::cover(Record& record, Stretch stretch) {
    Stretch* const begin = record.stretches.data();
    Stretch* const end = begin + record.stretch_count;
    Stretch* const after =
        std::find_if(begin, end, [&](const Stretch& known) { return known.end > stretch.begin; });
    if (after != end && after->begin < stretch.end) {
        return false;
    }
    const bool joins_before = after != begin && (after - 1)->end == stretch.begin;
    const bool joins_after = after != end && after->begin == stretch.end;
    if (joins_before && joins_after) {
        (after - 1)->end = after->end;
        std::move(after + 1, end, after);
        --record.stretch_count;
    } else if (joins_before) {
        (after - 1)->end = stretch.end;
    } else if (joins_after) {
        after->begin = stretch.begin;
    } else if (record.stretch_count == stretches_max) {
        return false;
    } else {
        std::move_backward(after, end, end + 1);
        *after = stretch;
        ++record.stretch_count;
    }
    return true;
}

}  // namespace fulcrum

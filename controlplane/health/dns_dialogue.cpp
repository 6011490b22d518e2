// Names are read with a bound on their jumps, everything with a bound on the message.
#include "controlplane/health/dns_dialogue.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <random>

#include "config/model/address.h"

namespace fulcrum {
namespace {

constexpr std::size_t header_size = 12;

struct RecordType {
    std::string_view word;
    std::uint16_t number;
};
constexpr std::array record_types{
    RecordType{"A", 1},    RecordType{"NS", 2},    RecordType{"CNAME", 5},
    RecordType{"SOA", 6},  RecordType{"PTR", 12},  RecordType{"MX", 15},
    RecordType{"TXT", 16}, RecordType{"AAAA", 28}, RecordType{"SRV", 33}};

std::string word_of(std::uint16_t number) {
    const auto found = std::ranges::find(record_types, number, &RecordType::number);
    return found == record_types.end() ? "TYPE" + std::to_string(number) : std::string{found->word};
}

std::string number_in_octets(std::uint16_t number) {
    return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
}

// "4.3.2.1.in-addr.arpa", or nibble by nibble under ip6.arpa.
std::string reverse_name_of(const IpAddress& address) {
    std::string name;
    if (address.is_v4()) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            name += std::to_string(address.v4().host() >> shift & 0xFFU) + ".";
        }
        return name + "in-addr.arpa";
    }
    constexpr std::string_view digits = "0123456789abcdef";
    const auto& octets = address.v6().octets;
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
        name += {digits[*octet & 0xFU], '.', digits[*octet >> 4U], '.'};
    }
    return name + "ip6.arpa";
}

std::optional<std::string> name_in_octets(std::string_view name) {
    constexpr std::size_t label_max = 63;
    constexpr std::size_t name_max = 255;
    std::string octets;
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    while (!name.empty()) {
        const std::string_view label = name.substr(0, name.find('.'));
        if (label.empty() || label.size() > label_max) {
            return std::nullopt;
        }
        octets.push_back(static_cast<char>(label.size()));
        octets.append(label);
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    octets.push_back('\0');
    return octets.size() <= name_max ? std::optional{octets} : std::nullopt;
}

class MessageReader {
  public:
    explicit MessageReader(std::string_view message) : message_{message} {}

    bool is_sound() const { return is_sound_; }
    std::size_t at() const { return at_; }
    void skip(std::size_t count) { take(count); }
    std::string_view take(std::size_t count) {
        if (count > message_.size() - at_) {
            is_sound_ = false;
            at_ = message_.size();
            return {};
        }
        at_ += count;
        return message_.substr(at_ - count, count);
    }
    std::uint8_t octet() {
        const std::string_view one = take(1);
        return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
    }
    std::uint16_t number() {
        const unsigned high = octet();
        return static_cast<std::uint16_t>(high << 8U | octet());
    }
    std::string name();

  private:
    std::string_view message_;
    std::size_t at_ = 0;
    bool is_sound_ = true;
};

// A label, or a jump to where the rest stands; jumps lead back, so they come to an end.
std::string MessageReader::name() {
    constexpr unsigned jump_mark = 0xC0;
    constexpr int jumps_max = 64;
    std::string name;
    std::size_t behind = 0;  // the first jump; 0: there was none
    for (int jumps = 0; is_sound_;) {
        const unsigned length = octet();
        if (length == 0) {
            break;
        }
        if ((length & jump_mark) == jump_mark) {
            const std::size_t target = (length & ~jump_mark) << 8U | octet();
            behind = behind == 0 ? at_ : behind;
            if (target >= message_.size() || ++jumps > jumps_max) {
                is_sound_ = false;
            }
            at_ = is_sound_ ? target : at_;
            continue;
        }
        is_sound_ = is_sound_ && length < jump_mark;
        name.append(take(length)).append(".");
    }
    at_ = behind == 0 ? at_ : behind;
    if (name.size() > 1) {
        name.pop_back();
    }
    return name.empty() ? "." : name;
}

std::string data_of(MessageReader& reader, std::uint16_t type, std::size_t length) {
    switch (type) {
        case 1:
            if (length == 4) {
                std::uint32_t address = 0;
                for (const char octet : reader.take(length)) {
                    address = address << 8U | static_cast<std::uint8_t>(octet);
                }
                return to_string(IpAddress{Ipv4Address::from_host(address)});
            }
            break;
        case 28:
            if (length == 16) {
                Ipv6Address address;
                const std::string_view octets = reader.take(length);
                std::copy(octets.begin(), octets.end(), address.octets.begin());
                return to_string(IpAddress{address});
            }
            break;
        case 2:
        case 5:
        case 6:
        case 12:
            return reader.name();
        case 15: {
            const std::uint16_t preference = reader.number();
            return std::to_string(preference) + " " + reader.name();
        }
        case 16: {
            const std::size_t count = std::min<std::size_t>(reader.octet(), length - 1);
            return std::string{reader.take(count)};
        }
        case 33: {
            reader.skip(4);
            const std::uint16_t port = reader.number();
            return reader.name() + " " + std::to_string(port);
        }
        default:
            break;
    }
    reader.skip(length);
    return "?";
}

std::string word_of_error(unsigned code) {
    constexpr std::array<std::string_view, 6> words{"NOERROR",  "FORMERR", "SERVFAIL",
                                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return code < words.size() ? std::string{words[code]} : "error " + std::to_string(code);
}

// As the DNS compares names: capitals count for nothing.
bool is_alike(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

std::uint16_t random_id() {
    thread_local std::minstd_rand random{std::random_device{}()};
    return static_cast<std::uint16_t>(random() >> 8U);
}

}  // namespace

std::optional<std::string> dns_question(std::string_view name, std::string_view record,
                                        std::uint16_t id) {
    const auto type = std::ranges::find(record_types, record, &RecordType::word);
    const auto address = record == "PTR" ? parse_ip_address(name) : std::nullopt;
    const auto octets = name_in_octets(address ? reverse_name_of(*address) : std::string{name});
    if (type == record_types.end() || !octets) {
        return std::nullopt;
    }
    constexpr std::uint16_t recursion_desired = 0x0100;
    constexpr std::uint16_t internet = 1;
    return number_in_octets(id) + number_in_octets(recursion_desired) + number_in_octets(1) +
           std::string(6, '\0') + *octets + number_in_octets(type->number) +
           number_in_octets(internet);
}

std::optional<std::string> dns_records(std::string_view message) {
    MessageReader reader{message};
    reader.skip(4);
    const unsigned questions = reader.number();
    const unsigned answers = reader.number();
    reader.skip(4);
    for (unsigned n = 0; n < questions && reader.is_sound(); ++n) {
        reader.name();
        reader.skip(4);
    }
    std::string lines;
    for (unsigned n = 0; n < answers && reader.is_sound(); ++n) {
        const std::string name = reader.name();
        const std::uint16_t type = reader.number();
        reader.skip(6);  // class and time to live
        const std::size_t length = reader.number();
        const std::size_t end = reader.at() + length;
        if (length == 0 || end > message.size()) {
            return std::nullopt;
        }
        lines += name + " " + word_of(type) + " " + data_of(reader, type, length) + "\n";
        if (reader.at() > end) {
            return std::nullopt;
        }
        reader.skip(end - reader.at());
    }
    return reader.is_sound() ? std::optional{lines} : std::nullopt;
}

DnsDialogue::DnsDialogue(const ProbeSpec& spec)
    : rule_{spec.check},
      question_{dns_question(spec.check.query, spec.check.record, random_id()).value_or("")},
      timeout_outcome_{outcome_of_timeout(spec)} {}

DialogueTurn DnsDialogue::begin() { return say(question_); }

// What is no answer to our question is somebody else's word: it is passed over.
DialogueTurn DnsDialogue::on_received(std::string_view octets) {
    constexpr unsigned is_response = 0x80;
    constexpr unsigned code_mask = 0x0F;
    if (octets.size() < header_size || octets.substr(0, 2) != question_.substr(0, 2) ||
        (static_cast<unsigned char>(octets[2]) & is_response) == 0) {
        return listen_on();
    }
    const unsigned code = static_cast<unsigned char>(octets[3]) & code_mask;
    if (code != 0) {
        return fail("DNS " + word_of_error(code));
    }
    const std::string_view asked = std::string_view{question_}.substr(header_size);
    if (octets.substr(4, 2) != question_.substr(4, 2) ||
        !is_alike(octets.substr(header_size, asked.size()), asked)) {
        return listen_on();
    }
    const auto records = dns_records(octets);
    if (!records) {
        return fail("the DNS answer is malformed");
    }
    if (!rule_.fits(*records)) {
        return fail("the DNS records lack " + rule_.lack_of(*records));
    }
    return succeed("DNS " + word_of_error(code));
}

}  // namespace fulcrum

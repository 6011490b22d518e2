// The machine: an accumulator, an index register, sixteen words of memory.
#include "config/model/packet_filter.h"

#include <array>
#include <charconv>
#include <string>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

constexpr std::size_t memory_length = 16;

// An instruction's code: its class, and what the class makes of the other bits.
enum Class : std::uint16_t {
    ld = 0,
    ldx = 1,
    st = 2,
    stx = 3,
    alu = 4,
    jmp = 5,
    ret = 6,
    misc = 7
};
enum Mode : std::uint16_t {
    imm = 0x00,
    abs = 0x20,
    ind = 0x40,
    mem = 0x60,
    len = 0x80,
    msh = 0xA0
};
enum Width : std::uint16_t { word = 0x00, half = 0x08, octet = 0x10 };
enum Operation : std::uint16_t {
    add = 0x00,
    sub = 0x10,
    mul = 0x20,
    divide = 0x30,
    bit_or = 0x40,
    bit_and = 0x50,
    shift_left = 0x60,
    shift_right = 0x70,
    negate = 0x80,
    modulo = 0x90,
    bit_xor = 0xA0,
};
enum Jump : std::uint16_t {
    always = 0x00,
    equal = 0x10,
    greater = 0x20,
    at_least = 0x30,
    any_bit = 0x40
};
constexpr std::uint16_t source_is_index = 0x08;
constexpr std::uint16_t returns_accumulator = 0x10;
constexpr std::uint16_t copies_to_accumulator = 0x80;

std::uint16_t class_of(std::uint16_t code) { return code & 0x07; }
std::uint16_t mode_of(std::uint16_t code) { return code & 0xE0; }
std::uint16_t width_of(std::uint16_t code) { return code & 0x18; }
std::uint16_t operation_of(std::uint16_t code) { return code & 0xF0; }
bool has_only(std::uint16_t code, unsigned bits) { return (code & ~bits) == 0; }

// --- examined --------------------------------------------------------------------------------

bool is_load(const FilterInstruction& i) {
    const std::uint16_t mode = mode_of(i.code);
    const bool is_of_packet = mode == abs || mode == ind;
    if (class_of(i.code) == ldx) {
        return (mode == msh && width_of(i.code) == octet) ||
               (width_of(i.code) == word &&
                (mode == imm || mode == len || (mode == mem && i.operand < memory_length)));
    }
    return (is_of_packet && width_of(i.code) != 0x18) ||
           (width_of(i.code) == word &&
            (mode == imm || mode == len || (mode == mem && i.operand < memory_length)));
}

bool is_arithmetic(const FilterInstruction& i) {
    const std::uint16_t operation = operation_of(i.code);
    const bool divides = operation == divide || operation == modulo;
    const bool uses_operand = (i.code & source_is_index) == 0;
    return operation <= bit_xor && !(divides && uses_operand && i.operand == 0);
}

bool is_jump(const FilterInstruction& i, std::size_t left) {
    if (operation_of(i.code) == always) {
        return i.operand < left;
    }
    return operation_of(i.code) <= any_bit && i.jump_true < left && i.jump_false < left;
}

// `left`: how many instructions follow.
bool is_sound(const FilterInstruction& i, std::size_t left) {
    if (i.code > 0xFF) {
        return false;
    }
    switch (class_of(i.code)) {
        case ld:
        case ldx:
            return is_load(i);
        case st:
        case stx:
            return has_only(i.code, 0x07) && i.operand < memory_length;
        case alu:
            return is_arithmetic(i);
        case jmp:
            return is_jump(i, left);
        case ret:
            return has_only(i.code, 0x07U | returns_accumulator);
        default:
            return has_only(i.code, 0x07U | copies_to_accumulator);
    }
}

// The number at the front of `text`, which is taken off with what follows it, one `end`.
template <typename Number>
bool take_number(std::string_view& text, char end, Number& number) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (text.empty()) {
        return end == ',';  // the last one's may be left out
    }
    const bool is_followed = text.front() == end;
    text.remove_prefix(1);
    return is_followed;
}

// --- run -------------------------------------------------------------------------------------

class Machine {
  public:
    Machine(std::span<const std::uint8_t> octets, std::uint32_t length)
        : octets_{octets}, length_{length} {}

    bool accepts(std::span<const FilterInstruction> filter);

  private:
    bool load(const FilterInstruction& i);
    bool load_index(const FilterInstruction& i);
    bool compute(const FilterInstruction& i);
    std::uint32_t jump(const FilterInstruction& i) const;
    bool read(std::uint64_t at, std::uint16_t width, std::uint32_t& value) const;

    std::span<const std::uint8_t> octets_;
    std::uint32_t length_;
    std::uint32_t accumulator_ = 0;
    std::uint32_t index_ = 0;
    std::array<std::uint32_t, memory_length> memory_{};
};

bool Machine::accepts(std::span<const FilterInstruction> filter) {
    for (std::size_t at = 0; at < filter.size(); ++at) {
        const FilterInstruction& i = filter[at];
        bool goes_on = true;
        switch (class_of(i.code)) {
            case ld:
                goes_on = load(i);
                break;
            case ldx:
                goes_on = load_index(i);
                break;
            case st:
                memory_[i.operand] = accumulator_;
                break;
            case stx:
                memory_[i.operand] = index_;
                break;
            case alu:
                goes_on = compute(i);
                break;
            case jmp:
                at += jump(i);
                break;
            case ret:
                return ((i.code & returns_accumulator) != 0 ? accumulator_ : i.operand) != 0;
            default:
                ((i.code & copies_to_accumulator) != 0 ? accumulator_ : index_) =
                    (i.code & copies_to_accumulator) != 0 ? index_ : accumulator_;
        }
        if (!goes_on) {
            return false;
        }
    }
    return false;
}

bool Machine::load(const FilterInstruction& i) {
    switch (mode_of(i.code)) {
        case abs:
            return read(i.operand, width_of(i.code), accumulator_);
        case ind:
            return read(std::uint64_t{index_} + i.operand, width_of(i.code), accumulator_);
        case mem:
            accumulator_ = memory_[i.operand];
            return true;
        case len:
            accumulator_ = length_;
            return true;
        default:
            accumulator_ = i.operand;
            return true;
    }
}

bool Machine::load_index(const FilterInstruction& i) {
    switch (mode_of(i.code)) {
        case msh:  // the length of an IPv4 header
            if (!read(i.operand, octet, index_)) {
                return false;
            }
            index_ = (index_ & 0x0FU) * 4;
            return true;
        case mem:
            index_ = memory_[i.operand];
            return true;
        case len:
            index_ = length_;
            return true;
        default:
            index_ = i.operand;
            return true;
    }
}

// False: a division by zero.
bool Machine::compute(const FilterInstruction& i) {
    const std::uint32_t value = (i.code & source_is_index) != 0 ? index_ : i.operand;
    switch (operation_of(i.code)) {
        case add:
            accumulator_ += value;
            break;
        case sub:
            accumulator_ -= value;
            break;
        case mul:
            accumulator_ *= value;
            break;
        case divide:
            accumulator_ = value == 0 ? 0 : accumulator_ / value;
            return value != 0;
        case modulo:
            accumulator_ = value == 0 ? 0 : accumulator_ % value;
            return value != 0;
        case bit_or:
            accumulator_ |= value;
            break;
        case bit_and:
            accumulator_ &= value;
            break;
        case bit_xor:
            accumulator_ ^= value;
            break;
        case shift_left:
            accumulator_ = value < 32 ? accumulator_ << value : 0;
            break;
        case shift_right:
            accumulator_ = value < 32 ? accumulator_ >> value : 0;
            break;
        default:
            accumulator_ = 0 - accumulator_;
    }
    return true;
}

// How many instructions are skipped.
std::uint32_t Machine::jump(const FilterInstruction& i) const {
    const std::uint32_t value = (i.code & source_is_index) != 0 ? index_ : i.operand;
    switch (operation_of(i.code)) {
        case equal:
            return accumulator_ == value ? i.jump_true : i.jump_false;
        case greater:
            return accumulator_ > value ? i.jump_true : i.jump_false;
        case at_least:
            return accumulator_ >= value ? i.jump_true : i.jump_false;
        case any_bit:
            return (accumulator_ & value) != 0 ? i.jump_true : i.jump_false;
        default:
            return i.operand;
    }
}

bool Machine::read(std::uint64_t at, std::uint16_t width, std::uint32_t& value) const {
    const std::size_t count = width == word ? 4 : width == half ? 2 : 1;
    if (at + count > octets_.size()) {
        return false;
    }
    value = 0;
    for (std::size_t n = 0; n < count; ++n) {
        value = value << 8 | octets_[at + n];
    }
    return true;
}

}  // namespace

Result<PacketFilter> parse_packet_filter(std::string_view text) {
    std::size_t count = 0;
    if (!take_number(text, ',', count) || count == 0 || count > limits::filter_length_max) {
        return Error{"the filter does not begin with a count from 1 to " +
                     std::to_string(limits::filter_length_max) + " and a comma"};
    }
    PacketFilter filter;
    for (std::size_t at = 0; at < count; ++at) {
        FilterInstruction i;
        const bool is_read =
            take_number(text, ' ', i.code) && take_number(text, ' ', i.jump_true) &&
            take_number(text, ' ', i.jump_false) && take_number(text, ',', i.operand);
        if (!is_read || !is_sound(i, count - at - 1)) {
            return Error{"instruction " + std::to_string(at) + " of the filter " +
                         (is_read ? "is none of the machine's, or leads out of it"
                                  : "does not read CODE TRUE FALSE OPERAND")};
        }
        filter.push_back(i);
    }
    if (!text.empty()) {
        return Error{"the filter goes on after its " + std::to_string(count) + " instructions"};
    }
    if (class_of(filter.back().code) != ret) {
        return Error{"the filter does not end with a verdict"};
    }
    return filter;
}

bool matches(std::span<const FilterInstruction> filter, std::span<const std::uint8_t> octets,
             std::uint32_t length) {
    return filter.empty() || Machine{octets, length}.accepts(filter);
}

}  // namespace fulcrum

// The ioctl family behind ethtool -K. Names come from a string set, values as bits in blocks of 32
// by the position of the name. What is read and restored is what is *wanted*: the kernel derives
// from it what is active (no segmentation without checksums, say) and derives it again later.
#include "controlplane/kernel/ethtool_features.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "controlplane/kernel/errno_words.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

namespace {

// A structure of ethtool's with its flexible tail of `tail_size` octets.
template <typename Command>
class Variable {
  public:
    Variable(std::uint32_t command, std::size_t tail_size)
        : storage_((sizeof(Command) + tail_size + 7) / 8) {
        get()->cmd = command;
    }
    Command* get() { return reinterpret_cast<Command*>(storage_.data()); }
    Command* operator->() { return get(); }

  private:
    std::vector<std::uint64_t> storage_;
};

class Ethtool {
  public:
    explicit Ethtool(const std::string& device)
        : device_{device}, socket_{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {}

    Status call(void* command) {
        ifreq request{};
        device_.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
        request.ifr_data = static_cast<char*>(command);
        if (ioctl(socket_.get(), SIOCETHTOOL, &request) < 0) {
            return Error{"device " + device_ +
                         ": its offloads cannot be read or set: " + errno_words(errno)};
        }
        return done();
    }

    Result<std::vector<std::string>> names() {
        Variable<ethtool_sset_info> count{ETHTOOL_GSSET_INFO, sizeof(std::uint32_t)};
        count->sset_mask = 1ULL << ETH_SS_FEATURES;
        if (auto called = call(count.get()); !called) {
            return called.error();
        }
        const std::uint32_t length = count->sset_mask == 0 ? 0 : count->data[0];
        Variable<ethtool_gstrings> strings{ETHTOOL_GSTRINGS, std::size_t{length} * ETH_GSTRING_LEN};
        strings->string_set = ETH_SS_FEATURES;
        strings->len = length;
        if (auto called = call(strings.get()); !called) {
            return called.error();
        }
        std::vector<std::string> names;
        for (std::size_t i = 0; i < length; ++i) {
            const auto* text = reinterpret_cast<const char*>(strings->data) + i * ETH_GSTRING_LEN;
            names.emplace_back(text, strnlen(text, ETH_GSTRING_LEN));
        }
        return names;
    }

  private:
    std::string device_;
    FileDescriptor socket_;
};

std::uint32_t block_count(const std::vector<std::string>& names) {
    return static_cast<std::uint32_t>((names.size() + 31) / 32);
}

}  // namespace

Result<DeviceFeatures> read_features(const std::string& device) {
    Ethtool ethtool{device};
    const auto names = ethtool.names();
    if (!names) {
        return names.error();
    }
    const std::uint32_t blocks = block_count(*names);
    Variable<ethtool_gfeatures> state{ETHTOOL_GFEATURES,
                                      blocks * sizeof(ethtool_get_features_block)};
    state->size = blocks;
    if (auto called = ethtool.call(state.get()); !called) {
        return called.error();
    }
    DeviceFeatures features;
    for (std::size_t i = 0; i < names->size(); ++i) {
        const auto& block = state->features[i / 32];
        const std::uint32_t bit = 1U << (i % 32);
        if ((block.available & bit) != 0 && !(*names)[i].empty()) {
            features[(*names)[i]] = (block.requested & bit) != 0;
        }
    }
    return features;
}

Status set_features(const std::string& device, const DeviceFeatures& features) {
    Ethtool ethtool{device};
    const auto names = ethtool.names();
    const auto changeable = read_features(device);
    if (!names || !changeable) {
        return names ? changeable.error() : names.error();
    }
    const std::uint32_t blocks = block_count(*names);
    Variable<ethtool_sfeatures> change{ETHTOOL_SFEATURES,
                                       blocks * sizeof(ethtool_set_features_block)};
    change->size = blocks;
    for (std::size_t i = 0; i < names->size(); ++i) {
        const auto wish = features.find((*names)[i]);
        if (wish == features.end() || !changeable->contains((*names)[i])) {
            continue;
        }
        const std::uint32_t bit = 1U << (i % 32);
        change->features[i / 32].valid |= bit;
        change->features[i / 32].requested |= wish->second ? bit : 0;
    }
    return ethtool.call(change.get());
}

bool is_offload_in_the_way(const std::string& feature) {
    constexpr std::array<std::string_view, 10> exact{"rx-checksum",   "rx-gro",
                                                     "rx-gro-hw",     "rx-gro-list",
                                                     "rx-lro",        "rx-udp-gro-forwarding",
                                                     "tx-gso-list",   "tx-gso-partial",
                                                     "tx-gso-robust", "tx-generic-segmentation"};
    return std::ranges::find(exact, feature) != exact.end() ||
           feature.starts_with("tx-checksum-") ||
           (feature.starts_with("tx-") && feature.ends_with("-segmentation"));
}

}  // namespace fulcrum

// Start and end of DPDK.
#include "dataplane/nic.h"

#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include "dataplane/frame_room.h"
#include "dataplane/nic_filter.h"
#include "dataplane/rss.h"

// DPDK's af_packet driver asks the kernel to put fragments together before it shares packets out
// between sockets, and gives no choice (22.11, rte_pmd_init_internals). Datagrams would then arrive
// as frames that are longer than the driver's slots, and cut off. So its request passes here, in
// the place of libc's, and goes on without that wish.
extern "C" int setsockopt(int socket, int level, int option, const void* value,
                          socklen_t length) noexcept {
    std::uint32_t fanout = 0;
    if (level == SOL_PACKET && option == PACKET_FANOUT && length == sizeof(fanout)) {
        constexpr std::uint32_t defragment = PACKET_FANOUT_FLAG_DEFRAG;
        std::memcpy(&fanout, value, sizeof(fanout));
        fanout &= ~(defragment << 16);
        value = &fanout;
    }
    return static_cast<int>(syscall(SYS_setsockopt, socket, level, option, value, length));
}

namespace fulcrum {
namespace {

constexpr std::uint64_t mebi = 1'024 * 1'024;

// Where DPDK's log goes: the last line is kept, for a sentence when something fails.
struct QuietLog {
    std::string last_line;

    static ssize_t write(void* cookie, const char* bytes, std::size_t size) {
        std::string_view text{bytes, size};
        while (!text.empty() && text.back() == '\n') {
            text.remove_suffix(1);
        }
        if (!text.empty()) {
            static_cast<QuietLog*>(cookie)->last_line = text;
        }
        return static_cast<ssize_t>(size);
    }
};

QuietLog& quiet_log() {
    static QuietLog log;
    return log;
}

void silence_dpdk() {
    static FILE* const stream = [] {
        cookie_io_functions_t functions{};
        functions.write = &QuietLog::write;
        FILE* opened = fopencookie(&quiet_log(), "w", functions);
        setvbuf(opened, nullptr, _IOLBF, 1'024);
        return opened;
    }();
    rte_openlog_stream(stream);
    rte_log_set_global_level(RTE_LOG_WARNING);
}

std::string with_last_words(std::string sentence) {
    const std::string& last = quiet_log().last_line;
    return last.empty() ? sentence : sentence + " (DPDK: " + last + ")";
}

// "0@(0,1)": one lcore that may run on every CPU we may use, so that EAL pins nobody.
std::string all_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    std::string lcore = "0@(";
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) {
            lcore.append(std::to_string(cpu)).push_back(',');
        }
    }
    lcore.back() = ')';
    return lcore;
}

std::string ring_words(const RingShape& ring) {
    return ",framecnt=" + std::to_string(ring.slot_count) +
           ",framesz=" + std::to_string(ring.slot_bytes) +
           ",blocksz=" + std::to_string(ring.block_bytes);
}

std::string vdev_argument(const NicPort& port, std::size_t index, std::size_t worker_count,
                          std::uint64_t ring_bytes) {
    const std::string name = eal_device_name(port, index);
    switch (port.kind) {
        case DeviceKind::af_packet:
            return name + ",iface=" + port.device + ",qpairs=" + std::to_string(worker_count) +
                   ring_words(ring_shape_for(port.mtu, ring_bytes));
        case DeviceKind::af_xdp:
            return name + ",iface=" + port.device +
                   ",start_queue=0,queue_count=" + std::to_string(worker_count);
        case DeviceKind::vdev:
            return port.device;
        case DeviceKind::pci:
        case DeviceKind::vlan:
            break;
    }
    return {};
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

bool is_kernel_interface_running(const std::string& interface) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    interface.copy(static_cast<char*>(request.ifr_name), IFNAMSIZ - 1);
    const bool is_known = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (fd >= 0) {
        close(fd);
    }
    constexpr short running = IFF_UP | IFF_RUNNING;
    return is_known && (request.ifr_flags & running) == running;
}

// Of a device without combined channels DPDK's AF_XDP driver takes one queue.
unsigned combined_channels_of(const std::string& interface) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq request{};
    interface.copy(static_cast<char*>(request.ifr_name), IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&channels);
    const bool is_known = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_known ? std::max(1U, channels.combined_count) : 1;
}

std::string place_of(const NicPort& port) {
    return port.place.file + ":" + std::to_string(port.place.line) + ": port \"" + port.name +
           "\": ";
}

// What goes to a device before it starts, and after.
struct RssOrder {
    std::uint64_t kinds =
        0;  // of packets that are hashed; 0: the device is not to be told anything
    std::vector<std::uint8_t> key;
    std::vector<std::uint16_t> queues;
};

RssOrder order_rss(const Config& config, std::size_t port, const Steering& steering,
                   const rte_eth_dev_info& about, unsigned queue_count) {
    RssOrder order;
    const bool has_table =
        std::has_single_bit(about.reta_size) && about.reta_size >= limits::owner_slots_count;
    const std::size_t key_octets = about.hash_key_size == 0 ? 40 : about.hash_key_size;
    constexpr std::uint64_t all =
        RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
    if (queue_count < 2 || !has_table || key_octets < std::tuple_size_v<ToeplitzKey> ||
        key_octets > rss_key_octets_max) {
        return order;
    }
    order.kinds = about.flow_type_rss_offloads & all;
    const RssPlan plan = plan_rss(config, port, steering);
    order.key.assign(plan.key.begin(), plan.key.begin() + static_cast<std::ptrdiff_t>(key_octets));
    order.queues = rss_queues(steering, about.reta_size, queue_count);
    return order;
}

// What is read through an interface of the kernel's has the MTU that was given to that one; DPDK's
// af_packet driver knows of none but 1,500 and carries what its slots hold.
bool has_kernel_mtu(const NicPort& port) { return port.kind == DeviceKind::af_packet; }

std::uint16_t mtu_of(const NicPort& port, std::uint16_t id) {
    std::uint16_t mtu = limits::mtu_default;
    rte_eth_dev_get_mtu(id, &mtu);
    return port.mtu != 0 ? port.mtu : std::min(mtu, limits::mtu_default);
}

rte_eth_conf device_conf(const Config& config, std::size_t index, const rte_eth_dev_info& about,
                         RssOrder& order) {
    const NicPort& port = config.ports[index];
    rte_eth_conf conf{};
    if (!has_kernel_mtu(port)) {
        conf.rxmode.mtu = port.mtu;  // 0: the driver's default
    }
    conf.rxmode.offloads = vlan_offloads(config, index, about);
    if (order.kinds != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf = {.rss_key = order.key.data(),
                                     .rss_key_len = static_cast<std::uint8_t>(order.key.size()),
                                     .rss_hf = order.kinds};
    }
    return conf;
}

int start(std::uint16_t id, const Config& config, std::size_t index) {
    const int error = rte_eth_dev_start(id);
    return error != 0 ? error : let_through(id, config, index);
}

using RssTable = std::vector<rte_eth_rss_reta_entry64>;

RssTable table_of(const std::vector<std::uint16_t>& queues) {
    RssTable table(queues.size() / RTE_ETH_RETA_GROUP_SIZE);
    for (std::size_t entry = 0; entry < queues.size(); ++entry) {
        table[entry / RTE_ETH_RETA_GROUP_SIZE].mask = ~std::uint64_t{0};
        table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE] =
            queues[entry];
    }
    return table;
}

// Devices that take an order without a word and keep what they had are known: so they are asked.
bool has_kept(std::uint16_t id, const RssOrder& order) {
    std::vector<std::uint8_t> key(order.key.size());
    rte_eth_rss_conf conf{.rss_key = key.data(),
                          .rss_key_len = static_cast<std::uint8_t>(key.size())};
    RssTable table = table_of(std::vector<std::uint16_t>(order.queues.size()));
    if (rte_eth_dev_rss_hash_conf_get(id, &conf) != 0 || key != order.key ||
        rte_eth_dev_rss_reta_query(id, table.data(),
                                   static_cast<std::uint16_t>(order.queues.size())) != 0) {
        return false;
    }
    for (std::size_t entry = 0; entry < order.queues.size(); ++entry) {
        if (table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE] !=
            order.queues[entry]) {
            return false;
        }
    }
    return true;
}

QueueChoice carry_out(std::uint16_t id, const RssOrder& order, unsigned queue_count) {
    if (queue_count < 2) {
        return QueueChoice::single;
    }
    if (order.kinds == 0) {
        return QueueChoice::device;
    }
    // Some take a key with their configuration, some only now.
    std::vector<std::uint8_t> key = order.key;
    rte_eth_rss_conf conf{.rss_key = key.data(),
                          .rss_key_len = static_cast<std::uint8_t>(key.size()),
                          .rss_hf = order.kinds};
    rte_eth_dev_rss_hash_update(id, &conf);
    RssTable table = table_of(order.queues);
    const bool is_taken =
        rte_eth_dev_rss_reta_update(id, table.data(),
                                    static_cast<std::uint16_t>(order.queues.size())) == 0;
    return is_taken && has_kept(id, order) ? QueueChoice::client : QueueChoice::refused;
}

}  // namespace

std::string_view name_of(QueueChoice choice) {
    switch (choice) {
        case QueueChoice::single:
            return "single";
        case QueueChoice::device:
            return "device";
        case QueueChoice::refused:
            return "refused";
        case QueueChoice::client:
            break;
    }
    return "client";
}

std::string eal_device_name(const NicPort& port, std::size_t index) {
    switch (port.kind) {
        case DeviceKind::af_packet:
            return "net_af_packet" + std::to_string(index);
        case DeviceKind::af_xdp:
            return "net_af_xdp" + std::to_string(index);
        case DeviceKind::vdev:
            return port.device.substr(0, port.device.find(','));
        case DeviceKind::pci:
        case DeviceKind::vlan:
            break;
    }
    return port.device;
}

Status check_devices(const Config& config) {
    const std::size_t worker_count = config.director.workers.size();
    for (const NicPort& port : config.ports) {
        const bool is_interface =
            port.kind == DeviceKind::af_packet || port.kind == DeviceKind::af_xdp;
        // Asked of the kernel and not of /sys, which may show another network namespace's.
        if (is_interface && if_nametoindex(port.device.c_str()) == 0) {
            return Error{place_of(port) + "there is no network interface \"" + port.device +
                         "\" here: see ip link"};
        }
        if (port.kind == DeviceKind::af_xdp) {
            const unsigned channels = combined_channels_of(port.device);
            if (channels < worker_count) {
                return Error{place_of(port) + "AF_XDP gives each of the " +
                             std::to_string(worker_count) + " workers a combined channel of \"" +
                             port.device + "\", which has " + std::to_string(channels) +
                             ": raise them (ethtool -L " + port.device + " combined " +
                             std::to_string(worker_count) +
                             "), lower director.workers, or take af_packet"};
            }
        }
        if (port.kind == DeviceKind::pci && !exists("/sys/bus/pci/devices/" + port.device)) {
            return Error{place_of(port) + "there is no PCI device " + port.device +
                         " in this machine: see lspci -D"};
        }
    }
    return done();
}

Status start_eal(const Config& config, std::uint64_t dpdk_bytes) {
    silence_dpdk();
    std::vector<std::string> words{"fulcrumd", "--lcores=" + all_cpus(), "--no-telemetry",
                                   "--file-prefix=fulcrum" + std::to_string(getpid())};
    if (config.director.memory == Memory::ordinary) {
        words.insert(words.end(), {"--no-huge", "--no-shconf", "-m",
                                   std::to_string((dpdk_bytes + mebi - 1) / mebi)});
    } else {
        words.emplace_back("--in-memory");
    }
    const auto device_count = static_cast<std::size_t>(std::ranges::count_if(
        config.ports, [](const NicPort& port) { return port.kind != DeviceKind::vlan; }));
    const std::uint64_t bytes = ring_bytes_for(device_count * config.director.workers.size());
    bool has_pci = false;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const NicPort& port = config.ports[i];
        if (port.kind == DeviceKind::vlan) {
            continue;
        }
        if (port.kind == DeviceKind::pci) {
            has_pci = true;
            words.insert(words.end(), {"-a", port.device});
        } else {
            words.push_back("--vdev=" +
                            vdev_argument(port, i, config.director.workers.size(), bytes));
        }
    }
    if (!has_pci) {
        words.emplace_back("--no-pci");
    }
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
        return Error{
            with_last_words("DPDK did not start: " + std::string{rte_strerror(rte_errno)})};
    }
    rte_log_set_global_level(RTE_LOG_ERR);
    return done();
}

void stop_eal() { rte_eal_cleanup(); }

Result<PacketPool> PacketPool::create(std::uint64_t mbuf_count, std::uint32_t frame_room) {
    const auto size = static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM + frame_room);
    rte_mempool* pool =
        rte_pktmbuf_pool_create("packets", static_cast<unsigned>(mbuf_count), nic_pool_cache_size,
                                /*priv_size=*/0, size, SOCKET_ID_ANY);
    if (pool == nullptr) {
        return Error{with_last_words("cannot allocate " + std::to_string(mbuf_count) +
                                     " packet buffers: " + rte_strerror(rte_errno))};
    }
    return PacketPool{pool};
}

PacketPool::PacketPool(PacketPool&& other) noexcept : pool_{std::exchange(other.pool_, nullptr)} {}

PacketPool::~PacketPool() { rte_mempool_free(pool_); }

unsigned PacketPool::in_use() const { return rte_mempool_in_use_count(pool_); }

Result<OpenPort> OpenPort::open(const Config& config, std::size_t index, const Steering& steering,
                                const PacketPool& pool) {
    const NicPort& port = config.ports[index];
    const auto worker_count = static_cast<unsigned>(config.director.workers.size());
    const std::string place = place_of(port);
    const std::string name = eal_device_name(port, index);
    std::uint16_t id = closed;
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
        return Error{
            with_last_words(place + "DPDK has no driver for device \"" + port.device + "\"")};
    }
    rte_eth_dev_info about{};
    rte_eth_dev_info_get(id, &about);
    if (about.max_tx_queues < worker_count) {
        return Error{place + "the device has " + std::to_string(about.max_tx_queues) +
                     " transmit queues, and each of the " + std::to_string(worker_count) +
                     " workers needs one: lower director.workers"};
    }
    OpenPort open;
    open.receive_queue_count_ =
        static_cast<std::uint16_t>(std::min<unsigned>(about.max_rx_queues, worker_count));
    RssOrder rss = order_rss(config, index, steering, about, open.receive_queue_count_);
    if (!has_kernel_mtu(port) && port.mtu > about.max_mtu) {
        return Error{place + "mtu: " + std::to_string(port.mtu) + " is more than the device \"" +
                     port.device + "\" carries, " + std::to_string(about.max_mtu)};
    }
    const rte_eth_conf conf = device_conf(config, index, about, rss);
    int error = rte_eth_dev_configure(id, open.receive_queue_count_,
                                      static_cast<std::uint16_t>(worker_count), &conf);
    open.id_ = id;  // from here on there is something to close
    if (port.kind == DeviceKind::af_packet || port.kind == DeviceKind::af_xdp) {
        open.interface_ = port.device;
    }
    std::uint16_t receive_count = nic_descriptor_count;
    std::uint16_t transmit_count = nic_descriptor_count;
    if (error == 0) {
        error = rte_eth_dev_adjust_nb_rx_tx_desc(id, &receive_count, &transmit_count);
    }
    const auto socket = static_cast<unsigned>(SOCKET_ID_ANY);
    for (std::uint16_t queue = 0; error == 0 && queue < open.receive_queue_count_; ++queue) {
        error = rte_eth_rx_queue_setup(id, queue, receive_count, socket, nullptr, pool.get());
    }
    for (std::uint16_t queue = 0; error == 0 && queue < worker_count; ++queue) {
        error = rte_eth_tx_queue_setup(id, queue, transmit_count, socket, nullptr);
    }
    if (error == 0) {
        error = start(id, config, index);
    }
    if (error != 0) {
        return Error{with_last_words(place + "cannot start device \"" + port.device +
                                     "\": " + rte_strerror(-error))};
    }
    open.queue_choice_ = carry_out(id, rss, open.receive_queue_count_);
    rte_ether_addr mac{};
    rte_eth_macaddr_get(id, &mac);
    std::memcpy(open.link_.mac.bytes.data(), mac.addr_bytes, sizeof(mac.addr_bytes));
    open.link_.mtu = mtu_of(port, id);
    return open;
}

OpenPort::OpenPort(OpenPort&& other) noexcept
    : id_{std::exchange(other.id_, closed)},
      receive_queue_count_{other.receive_queue_count_},
      queue_choice_{other.queue_choice_},
      link_{other.link_},
      interface_{std::move(other.interface_)} {}

OpenPort::~OpenPort() {
    if (id_ != closed) {
        rte_eth_dev_stop(id_);
        rte_eth_dev_close(id_);
    }
}

PortStatistics OpenPort::statistics() const {
    rte_eth_stats stats{};
    rte_eth_stats_get(id_, &stats);
    return {stats.ipackets, stats.ibytes,  stats.opackets, stats.obytes,
            stats.imissed,  stats.ierrors, stats.oerrors,  stats.rx_nombuf};
}

bool OpenPort::is_up() const {
    // Drivers that read through the kernel's interface say "up" whatever befalls it.
    if (!interface_.empty()) {
        return is_kernel_interface_running(interface_);
    }
    rte_eth_link link{};
    rte_eth_link_get_nowait(id_, &link);
    return link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace fulcrum

// nf_tables over netlink. A transaction is a batch of messages between a begin and an end; all of
// it holds or none. "Create, delete, create" replaces a table whether or not it was there.
#include "controlplane/kernel/ingress_drop.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace fulcrum {

namespace {

constexpr const char* chain_name = "ingress";
// Before everybody else's chains on the device.
constexpr std::int32_t priority = -1'000;

constexpr std::uint16_t message_type(unsigned nf_tables_message) {
    return static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | nf_tables_message);
}

void begin_message(NetlinkRequests& requests, std::uint16_t type, std::uint16_t flags) {
    auto* header = requests.begin<nfgenmsg>(type, flags);
    header->nfgen_family = NFPROTO_NETDEV;
    header->version = NFNETLINK_V0;
}

void put_transaction_edge(NetlinkRequests& requests, std::uint16_t type) {
    auto* header = requests.begin<nfgenmsg>(type, 0);
    header->nfgen_family = AF_UNSPEC;
    header->version = NFNETLINK_V0;
    header->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void put_table(NetlinkRequests& requests, unsigned message, const std::string& table) {
    begin_message(requests, message_type(message), message == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    mnl_attr_put_strz(requests.message(), NFTA_TABLE_NAME, table.c_str());
}

void put_chain(NetlinkRequests& requests, const std::string& table, const std::string& device) {
    begin_message(requests, message_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE);
    nlmsghdr* message = requests.message();
    mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_CHAIN_NAME, chain_name);
    nlattr* hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(NF_NETDEV_INGRESS));
    mnl_attr_put_u32(message, NFTA_HOOK_PRIORITY, htonl(static_cast<std::uint32_t>(priority)));
    mnl_attr_put_strz(message, NFTA_HOOK_DEV, device.c_str());
    mnl_attr_nest_end(message, hook);
    mnl_attr_put_u32(message, NFTA_CHAIN_POLICY, htonl(NF_DROP));
    mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
}

}  // namespace

IngressDrop::IngressDrop(const std::string& device, NetlinkSocket socket)
    : device_{device}, table_{"fulcrum_" + device}, socket_{std::move(socket)} {}

Result<IngressDrop> IngressDrop::open(const std::string& device) {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!socket) {
        return Error{"device " + device + ": nftables: " + socket.error().sentence};
    }
    return IngressDrop{device, std::move(*socket)};
}

Status IngressDrop::raise() {
    NetlinkRequests transaction;
    put_transaction_edge(transaction, NFNL_MSG_BATCH_BEGIN);
    put_table(transaction, NFT_MSG_NEWTABLE, table_);
    put_table(transaction, NFT_MSG_DELTABLE, table_);
    put_table(transaction, NFT_MSG_NEWTABLE, table_);
    put_chain(transaction, table_, device_);
    put_transaction_edge(transaction, NFNL_MSG_BATCH_END);
    return first_refusal("device " + device_ + ": nftables: dropping its ingress for the kernel",
                         socket_.submit(transaction));
}

Status IngressDrop::lift() {
    NetlinkRequests transaction;
    put_transaction_edge(transaction, NFNL_MSG_BATCH_BEGIN);
    put_table(transaction, NFT_MSG_NEWTABLE, table_);
    put_table(transaction, NFT_MSG_DELTABLE, table_);
    put_transaction_edge(transaction, NFNL_MSG_BATCH_END);
    return first_refusal("device " + device_ + ": nftables: giving its ingress back to the kernel",
                         socket_.submit(transaction));
}

Result<bool> IngressDrop::is_up() {
    NetlinkRequests question;
    begin_message(question, message_type(NFT_MSG_GETCHAIN), 0);
    mnl_attr_put_strz(question.message(), NFTA_CHAIN_TABLE, table_.c_str());
    mnl_attr_put_strz(question.message(), NFTA_CHAIN_NAME, chain_name);
    auto answers = socket_.ask(question);
    if (!answers) {
        return answers.error();
    }
    if (answers->error != 0 && answers->error != ENOENT) {
        return Error{"device " + device_ + ": nftables: " + answers->words};
    }
    return answers->error == 0;
}

}  // namespace fulcrum

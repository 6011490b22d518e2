// The far end of a tunnel, on the interface of a real: takes the outer header off what arrives in
// IPIP, GUE or GRE, of IPv4 or IPv6, and lets the packet of either within go on into the kernel's own
// stack. It shares no code with the director and knows the formats from their RFCs alone. Anything
// else passes untouched.
#include <linux/bpf.h>

#define SECTION(name) __attribute__((section(name), used))

static long (*adjust_head)(struct xdp_md* context, int delta) = (void*)BPF_FUNC_xdp_adjust_head;

struct ethernet {
    unsigned char addresses[12];
    unsigned short ethertype;
};

enum { ipv4_size = 20, ipv6_size = 40, udp_size = 8, gue_size = 4, gue_port = 6080 };
enum { ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86DD };

struct found {
    int length;     // octets between the Ethernet header and the packet within; 0: there is none
    int ethertype;  // of the packet within
};

static unsigned short network(unsigned short value) { return __builtin_bswap16(value); }

static int ethertype_of(int ip_protocol) {
    return ip_protocol == 4 ? ethertype_ipv4 : ip_protocol == 41 ? ethertype_ipv6 : 0;
}

// `size` is that of the outer IP header, `protocol` what it says of what follows.
static __attribute__((always_inline)) struct found look_within(const unsigned char* ip, int size,
                                                               int protocol,
                                                               const unsigned char* end) {
    struct found found = {0, 0};
    const unsigned char* l4 = ip + size;
    if (l4 + udp_size + gue_size > end) {
        return found;
    }
    if (protocol == 17) {
        if (l4[2] == gue_port >> 8 && l4[3] == (gue_port & 255) && l4[udp_size] == 0) {
            found.ethertype = ethertype_of(l4[udp_size + 1]);
            found.length = size + udp_size + gue_size;
        }
    } else if (protocol == 47) {
        if ((l4[0] & 0x7F) == 0 && l4[1] == 0) {
            found.ethertype = l4[2] << 8 | l4[3];
            found.length = size + 4 + (l4[0] & 0x80 ? 4 : 0);
        }
    } else {
        found.ethertype = ethertype_of(protocol);
        found.length = size;
    }
    if (found.ethertype != ethertype_ipv4 && found.ethertype != ethertype_ipv6) {
        found.length = 0;
    }
    return found;
}

SECTION("xdp") int unwrap(struct xdp_md* context) {
    unsigned char* frame = (void*)(long)context->data;
    const unsigned char* end = (void*)(long)context->data_end;
    const unsigned char* ip = frame + sizeof(struct ethernet);
    if (ip + ipv6_size > end) {
        return XDP_PASS;
    }
    struct ethernet head = *(struct ethernet*)frame;
    struct found found = {0, 0};
    if (head.ethertype == network(ethertype_ipv4) && ip[0] == 0x45) {
        found = look_within(ip, ipv4_size, ip[9], end);
    } else if (head.ethertype == network(ethertype_ipv6)) {
        found = look_within(ip, ipv6_size, ip[6], end);
    }
    if (found.length == 0 || adjust_head(context, found.length) != 0) {
        return XDP_PASS;
    }
    frame = (void*)(long)context->data;
    end = (void*)(long)context->data_end;
    if (frame + sizeof(struct ethernet) > end) {
        return XDP_ABORTED;
    }
    head.ethertype = network(found.ethertype);
    *(struct ethernet*)frame = head;
    return XDP_PASS;
}

char terms[] SECTION("license") = "Dual MIT/GPL";

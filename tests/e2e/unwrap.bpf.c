// The far end of a tunnel, on the interface of a real: takes the outer header off what arrives in
// IPIP, GUE or GRE and lets the packet go on into the kernel's own stack. It shares no code with
// the director and knows the formats from their RFCs alone. Anything else passes untouched.
#include <linux/bpf.h>

#define SECTION(name) __attribute__((section(name), used))

static long (*adjust_head)(struct xdp_md* context, int delta) = (void*)BPF_FUNC_xdp_adjust_head;

struct ethernet {
    unsigned char addresses[12];
    unsigned short ethertype;
};

enum { ipv4_size = 20, udp_size = 8, gue_size = 4, gue_port = 6080 };

static unsigned short network(unsigned short value) { return __builtin_bswap16(value); }

// Octets between the Ethernet header and the packet within; 0: there is none.
static int outer_length(const unsigned char* ip, const unsigned char* end) {
    if (ip + ipv4_size + udp_size + gue_size > end || ip[0] != 0x45) {
        return 0;
    }
    const unsigned char* l4 = ip + ipv4_size;
    switch (ip[9]) {
        case 4:
            return ipv4_size;
        case 17: {
            const int is_gue = l4[2] == gue_port >> 8 && l4[3] == (gue_port & 255) &&
                               l4[udp_size] == 0 && l4[udp_size + 1] == 4;
            return is_gue ? ipv4_size + udp_size + gue_size : 0;
        }
        case 47: {
            const int is_ipv4 = l4[2] == 0x08 && l4[3] == 0x00 && (l4[0] & 0x7F) == 0 && l4[1] == 0;
            return is_ipv4 ? ipv4_size + 4 + (l4[0] & 0x80 ? 4 : 0) : 0;
        }
        default:
            return 0;
    }
}

SECTION("xdp") int unwrap(struct xdp_md* context) {
    unsigned char* frame = (void*)(long)context->data;
    const unsigned char* end = (void*)(long)context->data_end;
    if (frame + sizeof(struct ethernet) > end) {
        return XDP_PASS;
    }
    struct ethernet head = *(struct ethernet*)frame;
    if (head.ethertype != network(0x0800)) {
        return XDP_PASS;
    }
    const int length = outer_length(frame + sizeof(struct ethernet), end);
    if (length == 0 || adjust_head(context, length) != 0) {
        return XDP_PASS;
    }
    frame = (void*)(long)context->data;
    end = (void*)(long)context->data_end;
    if (frame + sizeof(struct ethernet) > end) {
        return XDP_ABORTED;
    }
    *(struct ethernet*)frame = head;
    return XDP_PASS;
}

char terms[] SECTION("license") = "Dual MIT/GPL";

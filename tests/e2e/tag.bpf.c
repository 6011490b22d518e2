// One end of a VLAN, for kernels without VLAN devices of their own: compiled with PUT, all that
// arrives at an interface gets the tag of VLAN (IEEE 802.1Q), else only what has that tag comes
// through, without it. It shares no code with the director.
#include <linux/bpf.h>

#define SECTION(name) __attribute__((section(name), used))

static long (*adjust_head)(struct xdp_md* context, int delta) = (void*)BPF_FUNC_xdp_adjust_head;

enum { addresses_size = 12, tag_size = 4 };

struct tagged {
    unsigned char addresses[addresses_size];
    unsigned char tag[tag_size];
    unsigned char ethertype[2];
};

SECTION("xdp") int pass_tag(struct xdp_md* context) {
    unsigned char addresses[addresses_size];
#ifdef PUT
    if (adjust_head(context, -tag_size) != 0) {
        return XDP_DROP;
    }
#endif
    struct tagged* frame = (void*)(long)context->data;
    if ((void*)(frame + 1) > (void*)(long)context->data_end) {
        return XDP_DROP;
    }
#ifdef PUT
    __builtin_memcpy(addresses, (unsigned char*)frame + tag_size, addresses_size);
    __builtin_memcpy(frame->addresses, addresses, addresses_size);
    frame->tag[0] = 0x81;
    frame->tag[1] = 0x00;
    frame->tag[2] = VLAN >> 8;
    frame->tag[3] = VLAN & 255;
#else
    if (frame->tag[0] != 0x81 || frame->tag[1] != 0x00 || (frame->tag[2] & 15) != VLAN >> 8 ||
        frame->tag[3] != (VLAN & 255)) {
        return XDP_DROP;
    }
    __builtin_memcpy(addresses, frame->addresses, addresses_size);
    if (adjust_head(context, tag_size) != 0) {
        return XDP_DROP;
    }
    unsigned char* shorter = (void*)(long)context->data;
    if (shorter + addresses_size > (unsigned char*)(long)context->data_end) {
        return XDP_DROP;
    }
    __builtin_memcpy(shorter, addresses, addresses_size);
#endif
    return XDP_PASS;
}

char terms[] SECTION("license") = "Dual MIT/GPL";

// Lets ipvsadm begin where no kernel has IPVS: its questions are answered with an empty table, its
// orders taken and forgotten. What it says of a command line is then its own word alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>

enum { orders_first = 64 + 1024 + 64, orders_last = orders_first + 63, ask_facts = orders_first + 1 };

static int is_of_ipvs(int level, int name) {
    return level == 0 && name >= orders_first && name <= orders_last;
}

int getsockopt(int socket, int level, int name, void* value, socklen_t* size) {
    if (is_of_ipvs(level, name)) {
        memset(value, 0, *size);
        if (name == ask_facts) {
            const unsigned version = 0x010201, table_size = 4096;
            memcpy(value, &version, sizeof version);
            memcpy((char*)value + sizeof version, &table_size, sizeof table_size);
        }
        return 0;
    }
    int (*next)(int, int, int, void*, socklen_t*) = dlsym(RTLD_NEXT, "getsockopt");
    return next(socket, level, name, value, size);
}

int setsockopt(int socket, int level, int name, const void* value, socklen_t size) {
    if (is_of_ipvs(level, name)) {
        return 0;
    }
    int (*next)(int, int, int, const void*, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
    return next(socket, level, name, value, size);
}

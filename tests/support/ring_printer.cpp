// Prints the rings that the product builds, for twins to compare. On standard input, for each ring:
// a line "size seed member_count", then a line "name weight index" for each member; on standard
// output a line with the slots.
#include <deque>
#include <iostream>
#include <string>
#include <vector>

#include "config/model/maglev.h"

int main() {
    std::uint32_t size = 0;
    std::string seed;
    std::size_t member_count = 0;
    while (std::cin >> size >> seed >> member_count) {
        std::deque<std::string> names(member_count);
        std::vector<fulcrum::RingMember> members(member_count);
        for (std::size_t i = 0; i < member_count; ++i) {
            std::cin >> names[i] >> members[i].weight >> members[i].index;
            members[i].name = names[i];
        }
        for (const std::uint16_t index :
             fulcrum::build_ring(members, size, fulcrum::derive_key(seed, "ring"))) {
            std::cout << index << ' ';
        }
        std::cout << '\n';
    }
    return 0;
}

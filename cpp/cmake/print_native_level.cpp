// Run while configuring: prints the best level the building machine supports.
#include <cstdio>

#include "cpu_features.hpp"

int main() {
    for (const char* level : fastnn::cpu::levels()) {
        if (fastnn::cpu::missing_features(level).empty()) {
            std::puts(level);
            return 0;
        }
    }
    return 1;
}

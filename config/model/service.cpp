// The words of the file for the enumerations of service.h.
#include "config/model/service.h"

namespace fulcrum {

std::string_view to_string(ForwardingMode mode) {
    return mode == ForwardingMode::nat ? "nat" : "direct";
}

std::string_view to_string(Scheduler scheduler) {
    switch (scheduler) {
        case Scheduler::maglev:
            return "maglev";
    }
    return "unknown";
}

std::string_view to_string(CheckType type) {
    switch (type) {
        case CheckType::none:
            return "none";
        case CheckType::connect:
            return "connect";
        case CheckType::http:
            return "http";
    }
    return "unknown";
}

}  // namespace fulcrum

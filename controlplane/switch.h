// A visitor of a variant made of one lambda a case.
#pragma once

namespace fulcrum {

template <typename... Cases>
struct Switch : Cases... {
    using Cases::operator()...;
};
template <typename... Cases>
Switch(Cases...) -> Switch<Cases...>;

}  // namespace fulcrum

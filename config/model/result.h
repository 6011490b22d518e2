// What a step that the operator or the world can make fail returns: a value, or an Error with a
// sentence for a person. The interface is a subset of C++23's std::expected. Pure; any thread.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace fulcrum {

// A sentence: lower case first, no full stop; place, value, what was expected and the remedy.
struct Error {
    std::string sentence;

    friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : outcome_{std::in_place_index<0>, std::move(value)} {}      // NOLINT
    Result(Error error) : outcome_{std::in_place_index<1>, std::move(error)} {}  // NOLINT

    bool has_value() const { return outcome_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() { return *std::get_if<0>(&outcome_); }
    const T& value() const { return *std::get_if<0>(&outcome_); }
    const Error& error() const { return *std::get_if<1>(&outcome_); }

    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, Error> outcome_;
};

struct Done {};

// A step with nothing to give but its success.
using Status = Result<Done>;
inline Status done() { return Done{}; }

}  // namespace fulcrum

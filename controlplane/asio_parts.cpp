// asio's own code, compiled once here (ASIO_SEPARATE_COMPILATION) and nowhere else: a room that
// includes its headers compiles in half the time.
#include <asio/impl/src.hpp>
#include <asio/ssl/impl/src.hpp>

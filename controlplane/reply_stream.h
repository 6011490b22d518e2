// What follows a reply on the command socket, piece by piece, for as long as somebody wants it. The
// control thread; nothing here is called from within the other's call.
#pragma once

#include <functional>
#include <string>

namespace fulcrum {

class ReplyStream {
  public:
    // The client is gone, or has had all.
    virtual ~ReplyStream() = default;

    // Calls `give` once, with further octets or, at the end, with none. Not to be called again
    // before.
    virtual void next(std::function<void(std::string octets)> give) = 0;
    // The client wants no more; what there is still comes, and then the end.
    virtual void end() = 0;
};

}  // namespace fulcrum

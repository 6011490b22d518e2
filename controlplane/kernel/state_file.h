// A small file that one process at a time holds, by a lock that the kernel drops when the process
// ends however it ends. Control thread.
#pragma once

#include <string>

#include "config/model/result.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

class StateFile {
  public:
    // Creates file and folder where they are missing. An Error when another process holds it.
    static Result<StateFile> open(const std::string& folder, const std::string& name);

    Result<std::string> read() const;
    Status write(const std::string& text);
    // Deletes it; the lock goes with this object.
    Status remove();

  private:
    StateFile(std::string path, FileDescriptor file)
        : path_{std::move(path)}, file_{std::move(file)} {}

    std::string path_;
    FileDescriptor file_;
};

}  // namespace fulcrum

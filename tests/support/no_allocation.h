// While one of these lives, an allocation by its thread ends the program: a worker's turn creates
// nothing. Made to last for a call of run_once().
#pragma once

namespace fulcrum::test {

class NoAllocation {
  public:
    NoAllocation();
    ~NoAllocation();
    NoAllocation(const NoAllocation&) = delete;
    NoAllocation& operator=(const NoAllocation&) = delete;
};

}  // namespace fulcrum::test

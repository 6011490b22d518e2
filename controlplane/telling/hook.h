// A program of the operator's, called for one change. What it is told is in its environment:
//
//   FULCRUM_EVENT      up, down, drained or undrained      FULCRUM_DIRECTOR  the director's name
//                      of a real; quorum_up or quorum_down of a service, whose real is empty then
//   FULCRUM_FROM, _TO  the real's states: up, down, drained, unknown; of a quorum, up and down
//   FULCRUM_SERVICE    its name                            FULCRUM_LISTENERS "203.0.113.80:80/tcp"
//   FULCRUM_REAL       its name                            FULCRUM_ADDRESS   "192.168.10.11:8080"
//   FULCRUM_REASON     the check's sentence                FULCRUM_TIME      "2026-11-21T17:00:00Z"
//   FULCRUM_REALS_UP, FULCRUM_REALS    reals of the service that are up, and all of them
//
// and PATH. Of a group's role:
//
//   FULCRUM_EVENT      role                                FULCRUM_DIRECTOR  the director's name
//   FULCRUM_FROM, _TO  active, standby, suspecting, fault or stopped
//   FULCRUM_GROUP      its name                            FULCRUM_ADDRESSES "203.0.113.80,
//   192.0.2.1" FULCRUM_REASON     a sentence                          FULCRUM_TIME
//   "2026-11-21T17:00:00Z"
//
// It has no arguments, no input, and its output goes nowhere. Waits for the program:
// called on the errand thread alone.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "config/model/result.h"
#include "controlplane/roles/role_report.h"
#include "controlplane/telling/real_change.h"

namespace fulcrum {

// "NAME=value" each.
std::vector<std::string> hook_environment(const RealChange& change);
std::vector<std::string> hook_environment(const RoleChange& change);

// Done when the program ends with 0. At the deadline, and once `is_stopping`, it is killed with all
// that it started.
Status run_hook(const std::string& program, const std::vector<std::string>& environment,
                std::chrono::milliseconds timeout, const std::atomic<bool>& is_stopping);

}  // namespace fulcrum

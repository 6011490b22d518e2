// Services without sessions: a datagram's answer must find its way by its sender alone. So such a
// service speaks UDP, and where its reals answer by NAT, they answer for nobody else, on one VIP
// and port. Pure; used by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_one_packet_services(const Config& config, Findings& findings);

}  // namespace fulcrum

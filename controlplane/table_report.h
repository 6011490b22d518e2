// The table of services with their reals in one piece, as `ipvsadm` lists it: what was asked for
// (scheduler, weights, forwarding, thresholds) beside what is counted. Pure; rendered on the
// helper.
#pragma once

#include <string>

#include "controlplane/listing.h"
#include "controlplane/rates.h"
#include "controlplane/request.h"

namespace fulcrum {

// Of a listing and the configuration that it was made of.
struct TableSources {
    const Listing& listing;
    const Config& config;
    const Boards& boards;
    const Rates& rates;
};

Json report_table(const TableSources& sources);

}  // namespace fulcrum

// What the doctor is told of a running director, and what he says, as JSON. Reads counters; the
// control thread sees, the helper looks at the machine and judges.
#pragma once

#include <string>
#include <vector>

#include "controlplane/doctor/diagnosis.h"
#include "controlplane/listing.h"
#include "controlplane/request.h"

namespace fulcrum {

// Of what the file asks for, with what has been counted so far.
std::vector<SeenReal> seen_reals(const Config& config, const Listing& listing,
                                 const Boards& boards);

// "findings": subject, verdict, sentence, remedy.
Json report_findings(const std::vector<Diagnosis>& found);

}  // namespace fulcrum

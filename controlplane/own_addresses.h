// Addresses of ours with a part in forwarding. A real on one of them is Local: a program on the
// director itself, which its kernel serves by the address's twin. And local addresses are those
// from which clients are presented to reals in full NAT. Pure; for the snapshot compiler.
#pragma once

#include <optional>
#include <vector>

#include "config/model/paths.h"
#include "config/model/snapshot.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

// Of a real that is Local; nothing: it is another machine, or there is no such address yet. What
// comes by a twin for 127.0.0.1 or ::1 the kernel would refuse, so these stand for the first port's
// address of their IP version.
std::optional<KernelAddress> own_address(const KernelTables& kernel, const RealPlan& real);

// `real`, which lies in the snapshot, becomes the Local one at `own`, whose address has a name.
void lay_local(const KernelTables& kernel, const KernelAddress& own, SnapshotReal& real,
               Snapshot& snapshot);

void lay_local_addresses(const std::vector<LocalAddressPlan>& plans, Snapshot& snapshot);

}  // namespace fulcrum

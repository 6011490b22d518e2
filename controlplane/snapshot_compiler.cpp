// The room behind snapshot_compiler.h.
#include "controlplane/snapshot_compiler.h"

// The room behind index_registry.h.
#include "controlplane/index_registry.h"

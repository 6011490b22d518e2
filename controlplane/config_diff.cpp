// The room behind config_diff.h.
#include "controlplane/config_diff.h"

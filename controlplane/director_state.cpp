// The room behind director_state.h.
#include "controlplane/director_state.h"

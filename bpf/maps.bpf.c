// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Defines the maps, and the licence that the helpers ask for.
#define WEFT_DEFINE_MAPS
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

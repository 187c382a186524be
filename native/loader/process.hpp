// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "channel/packet-socket.hpp"

#include <sys/types.h>

namespace weft {

// A descriptor for the process (pidfd_open(2)), which no later process of the same number can be mistaken
// for. Throws KernelError.
Descriptor openProcess(pid_t pid);

bool hasEnded(int process);

} // namespace weft

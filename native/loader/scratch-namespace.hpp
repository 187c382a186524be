// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "channel/packet-socket.hpp"

#include <string>
#include <vector>

namespace weft {

// A network namespace without a name, gone when the descriptor and its sockets are closed: loopback up, and
// one veth interface with the given IPv4 addresses (/24, at most 8). Throws KernelError.
Descriptor makeScratchNamespace(const std::vector<std::string> &addresses);

} // namespace weft

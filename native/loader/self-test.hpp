// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loader/kernel-programs.hpp"

namespace weft {

// Proves out- and inbound capture with real connections in a namespace of its own, which is gone afterwards.
// Throws KernelError that says which step failed and how to mend it.
void runSelfTest(KernelPrograms &kernel);

} // namespace weft

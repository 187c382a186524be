// SPDX-License-Identifier: Apache-2.0
//
// One question to capture over its Unix socket, and its answer.
#pragma once

#include "cni/decide.hpp"

#include <string>

namespace weft::cni {

// Tries to reach capture for wait_ms (0: once, or two seconds while it is busy) and, once reached, waits as
// long again for its answer, at least two seconds. A question may be asked twice: capture that is replaced by
// its successor answers none of those it still has.
Answer askCapture(const std::string &socket, const std::string &question, int wait_ms);

} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
//
// One call of the plugin, from the runtime's question to what it reads on standard output.
#pragma once

#include "cni/read-request.hpp"

#include <string>
#include <string_view>

namespace weft::cni {

struct Outcome {
    // One line of JSON, or empty.
    std::string output;
    // 0, or 1 with an error of the specification's section 5.
    int status = 0;
};

// Asks capture where the command needs it.
Outcome run(const Environment &environment, std::string_view configuration);

} // namespace weft::cni

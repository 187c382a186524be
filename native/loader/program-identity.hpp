// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "channel/packet-socket.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

// What makes two loaded programs the same: the instructions (tag) and the very maps they use. The tag alone
// leaves out which maps stand behind the instructions.
struct ProgramIdentity {
    std::array<uint8_t, 8> tag = {};
    std::vector<uint32_t> maps; // ids, ascending
    bool operator==(const ProgramIdentity &) const = default;
};

ProgramIdentity identify(int program);
// The program behind a link.
Descriptor openLinked(int link);

// The likely reason why programs were not loaded, for errno `error`.
std::string explainLoadFailure(int error);

} // namespace weft

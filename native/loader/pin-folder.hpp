// SPDX-License-Identifier: Apache-2.0
//
// Where links and maps are pinned, so that they outlive the process:
//   <folder>/v<ABI version>/maps/<map>
//   <folder>/v<ABI version>/links/<program>-<cgroup id>
//   <folder>/v<ABI version>/namespaces/<name>
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

struct PinFolder {
    std::string base;    // what the user named
    std::string version; // base/v<n>
    std::string maps, links, namespaces;
};

// Makes the folders (mode 0700). Throws KernelError where the base is not on a bpf file system.
PinFolder makePinFolder(const std::string &base);

// Removes what other ABI versions pinned below the base.
void removeOtherVersions(const PinFolder &folder);

// What clean removed.
struct Removed {
    std::vector<std::string> pins;
    std::vector<uint32_t> links; // ids of the links behind them
};

// Removes every pin below the base and the base itself; a base that does not exist is nothing to do. Throws
// KernelError where something cannot be removed, or is no pin of weft's.
Removed removePins(const std::string &base);

// Those of the links that still exist, for example because a process holds them open.
std::vector<uint32_t> findLinks(const std::vector<uint32_t> &links);

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// Whether a pod's namespace is in the mesh, by the list that capture keeps on the node for the time that it
// is away.
#pragma once

#include <string>
#include <string_view>

namespace weft::cni {

enum class Membership {
    enrolled,
    // The list is there, and the namespace is not in it.
    other,
    // There is no list that can be read.
    unknown,
};

// Of the list's text.
Membership findMembership(std::string_view list, std::string_view space);

// Of the file; at most four MiB are read.
Membership readMembership(const std::string &path, std::string_view space);

} // namespace weft::cni

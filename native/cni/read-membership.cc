// SPDX-License-Identifier: Apache-2.0
#include "cni/read-membership.hpp"

#include "channel/packet-socket.hpp"
#include "cni/json.hpp"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace weft::cni {

namespace {

// 20,000 names of 63 letters each take a third of it.
constexpr size_t max_list_bytes = 4 * 1024 * 1024;

} // namespace

Membership findMembership(std::string_view list, std::string_view space) {
    const auto names = parseJson(list);
    if (!names || !names->is_array())
        return Membership::unknown;
    Membership found = Membership::other;
    for (const Json &one : *names) {
        const auto name = textOf(one);
        if (!name)
            return Membership::unknown;
        if (*name == space)
            found = Membership::enrolled;
    }
    return found;
}

Membership readMembership(const std::string &path, std::string_view space) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file)
        return Membership::unknown;
    std::string list;
    std::array<char, 65'536> part;
    ssize_t got = 0;
    while ((got = read(file.get(), part.data(), part.size())) > 0) {
        list.append(part.data(), static_cast<size_t>(got));
        if (list.size() > max_list_bytes)
            return Membership::unknown;
    }
    return got < 0 ? Membership::unknown : findMembership(list, space);
}

} // namespace weft::cni

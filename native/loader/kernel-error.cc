// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel-error.hpp"

#include <cstring>

namespace weft {

namespace {

std::string compose(const std::string &what, int error, const std::string &hint) {
    std::string text = what;
    if (error != 0)
        text += std::string(": ") + strerror(error);
    if (!hint.empty())
        text += "; " + hint;
    return text;
}

} // namespace

KernelError::KernelError(const std::string &what, int error, const std::string &hint)
    : std::runtime_error(compose(what, error, hint)), error_(error) {}

} // namespace weft

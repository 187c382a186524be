// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace weft {

// What failed, on what, the kernel's word for it, and the likely cause and fix where one is known.
class KernelError : public std::runtime_error {
public:
    // `error` is a positive errno, 0 where there is none.
    KernelError(const std::string &what, int error, const std::string &hint = "");
    int error() const { return error_; }

private:
    int error_;
};

} // namespace weft

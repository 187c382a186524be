// SPDX-License-Identifier: Apache-2.0
// Proves at load which OpenSSL the linker gave this library: see README.md, "Linking".
#pragma once
#include <string>
#include <string_view>

namespace weft::tls {

/// Where OpenSSL's functions must come from.
enum class OpensslOrigin : uint8_t {
    /// The program itself: node, which exports its own.
    program,
    /// Any object: the library's own tests.
    anywhere,
};

struct OpensslCheck {
    /// Empty: this is the right one. Otherwise a sentence that says what runs and what should.
    std::string problem;
    /// For example "3.5.8".
    std::string version;
    /// File that SSL_CTX_new came from, as the dynamic linker names it.
    std::string object;
};

/// Compares the OpenSSL that runs with `expected` (process.versions.openssl), and the places that libssl's
/// and libcrypto's functions came from with `origin`.
OpensslCheck check_openssl(std::string_view expected, OpensslOrigin origin = OpensslOrigin::program);

} // namespace weft::tls

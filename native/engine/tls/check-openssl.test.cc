// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/check-openssl.hpp"
#include "engine/test/testing.hpp"
#include <openssl/crypto.h>

using namespace weft::tls;

CASE("the library that runs is named by version and file") {
    const OpensslCheck found =
        check_openssl(OpenSSL_version(OPENSSL_VERSION_STRING), OpensslOrigin::anywhere);
    CHECK_EQUAL(found.problem, "");
    CHECK(found.version.starts_with("3."));
    CHECK(found.object.find("libssl.so.3") != std::string::npos);
}

CASE("another version than the one expected is refused, and both are named") {
    const OpensslCheck found = check_openssl("3.99.1", OpensslOrigin::anywhere);
    CHECK(found.problem.find("3.99.1") != std::string::npos);
    CHECK(found.problem.find(found.version) != std::string::npos);
}

CASE("a shared libssl where the program's own is wanted is refused, and named") {
    const OpensslCheck found = check_openssl(OpenSSL_version(OPENSSL_VERSION_STRING));
    CHECK(found.problem.find("libssl.so.3") != std::string::npos);
}

// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/check-openssl.hpp"
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sys/auxv.h>

namespace weft::tls {

namespace {

Dl_info object_of(const void *address) {
    Dl_info info{};
    return ::dladdr(address, &info) != 0 ? info : Dl_info{};
}

template <typename Function> Dl_info object_of(Function *function) {
    return object_of(reinterpret_cast<const void *>(function));
}

std::string find_problem(const OpensslCheck &found, std::string_view expected, OpensslOrigin origin) {
    // OpenSSL promises one ABI within a major version, and the headers are of version 3.
    if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR) {
        return "OpenSSL " + found.version + " runs, and this was compiled for version " +
               std::to_string(OPENSSL_VERSION_MAJOR);
    }
    if (found.version != expected) {
        return "OpenSSL " + found.version + " of " + found.object + " runs, and node has " +
               std::string{expected};
    }
    if (origin == OpensslOrigin::anywhere) {
        return {};
    }
    const void *program = object_of(reinterpret_cast<const void *>(::getauxval(AT_ENTRY))).dli_fbase;
    for (const Dl_info &info :
         {object_of(&SSL_CTX_new), object_of(&X509_verify_cert), object_of(&EVP_EncryptUpdate)}) {
        if (program == nullptr || info.dli_fbase != program) {
            return std::string{"OpenSSL's functions come from "} +
                   (info.dli_fname == nullptr ? "nowhere" : info.dli_fname) +
                   ", not from node; a preloaded or linked libssl hides node's own";
        }
    }
    return {};
}

} // namespace

OpensslCheck check_openssl(std::string_view expected, OpensslOrigin origin) {
    OpensslCheck found;
    found.version = OpenSSL_version(OPENSSL_VERSION_STRING);
    const Dl_info library = object_of(&SSL_CTX_new);
    found.object = library.dli_fname == nullptr ? "" : library.dli_fname;
    found.problem = find_problem(found, expected, origin);
    return found;
}

} // namespace weft::tls

// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects.
#pragma once
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace weft::tls {

template <auto release> struct Release {
    template <typename T> void operator()(T *object) const { release(object); }
};
template <typename T, auto release> using Owned = std::unique_ptr<T, Release<release>>;

using OwnedBio = Owned<BIO, BIO_free>;
using OwnedBioMethod = Owned<BIO_METHOD, BIO_meth_free>;
using OwnedCertificate = Owned<X509, X509_free>;
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using OwnedTlsSession = Owned<SSL_SESSION, SSL_SESSION_free>;
using OwnedSsl = Owned<SSL, SSL_free>;
using OwnedContext = Owned<SSL_CTX, SSL_CTX_free>;
using OwnedStore = Owned<X509_STORE, X509_STORE_free>;
using OwnedVerification = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

} // namespace weft::tls

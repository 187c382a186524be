// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/certificates-under-test.hpp"
#include <cstdio>
#include <cstdlib>
#include <openssl/ec.h>
#include <openssl/pem.h>

namespace weft::tls {

namespace {

void must(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "certificates for tests: %s failed\n", what);
        std::abort();
    }
}

std::string text_in(BIO *bio) {
    char *data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<size_t>(size)};
}

void add_extension(X509 *certificate, X509 *issuer, int nid, const std::string &value) {
    if (value.empty()) {
        return;
    }
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "an extension");
    X509_EXTENSION_free(extension);
}

} // namespace

std::string Credential::certificate_pem() const {
    const OwnedBio bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_X509(bio.get(), certificate.get()) == 1, "writing a certificate");
    return text_in(bio.get());
}

std::string Credential::key_pem() const {
    const OwnedBio bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "writing a key");
    return text_in(bio.get());
}

Credential make_certificate(const Credential *issuer, const CertificateOptions &options) {
    static long serial = 1;
    Credential made{OwnedCertificate{X509_new()}, OwnedKey{EVP_EC_gen(options.group)}};
    X509 *certificate = made.certificate.get();
    must(certificate != nullptr && made.key != nullptr, "making a key");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), options.not_before);
    ASN1_TIME_set(X509_getm_notAfter(certificate), options.not_after);
    X509_set_pubkey(certificate, made.key.get());
    const std::string name = (options.authority ? "authority " : "leaf ") + std::to_string(serial++);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char *>(name.c_str()), -1, -1, 0);
    X509 *signer = issuer == nullptr ? certificate : issuer->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    add_extension(certificate, signer, NID_basic_constraints,
                  options.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, signer, NID_key_usage, options.usage);
    add_extension(certificate, signer, NID_ext_key_usage, options.extended_usage);
    add_extension(certificate, signer, NID_subject_alt_name, options.names);
    must(X509_sign(certificate, (issuer == nullptr ? made : *issuer).key.get(), EVP_sha256()) > 0, "signing");
    return made;
}

Credential make_authority(const Credential *issuer) {
    return make_certificate(issuer, {.names = "",
                                     .not_before = test_now - 86'400,
                                     .not_after = test_now + 86'400,
                                     .extended_usage = "",
                                     .usage = "critical,keyCertSign,cRLSign",
                                     .authority = true});
}

IdentityText text_of(const Credential &leaf, const Credential &authority, std::string spiffe_id) {
    return {.certificate = leaf.certificate_pem(),
            .key = leaf.key_pem(),
            .trust = authority.certificate_pem(),
            .spiffe_id = std::move(spiffe_id),
            .generation = 1};
}

std::shared_ptr<const Identity> Mesh::identity_of(const Credential &leaf, const char *spiffe_id) const {
    IdentityText text = text_of(leaf, root, spiffe_id);
    IdentityProblem problem;
    std::shared_ptr<const Identity> identity = Identity::create(text, test_now, problem);
    must(identity != nullptr, problem.message.c_str());
    return identity;
}

} // namespace weft::tls

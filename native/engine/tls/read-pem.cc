// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/read-pem.hpp"
#include <climits>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string>

namespace weft::tls {

namespace {

OwnedBio view(std::string_view text) {
    return OwnedBio{text.empty() || text.size() > INT_MAX
                        ? nullptr
                        : BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// OpenSSL would ask on the terminal for an encrypted key's passphrase.
int refuse_passphrase(char *, int, int, void *) {
    return -1;
}

} // namespace

std::vector<OwnedCertificate> read_certificates(std::string_view text, size_t limit) {
    std::vector<OwnedCertificate> all;
    const OwnedBio bio = view(text);
    ERR_clear_error();
    while (bio != nullptr) {
        OwnedCertificate next{PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, nullptr)};
        if (next == nullptr) {
            const unsigned long error = ERR_peek_last_error();
            const bool end =
                ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
            ERR_clear_error();
            if (!end) {
                all.clear();
            }
            break;
        }
        if (all.size() == limit) {
            all.clear();
            break;
        }
        all.push_back(std::move(next));
    }
    return all;
}

OwnedKey read_key(std::string_view text) {
    const OwnedBio bio = view(text);
    OwnedKey key{bio == nullptr ? nullptr
                                : PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, nullptr)};
    ERR_clear_error();
    return key;
}

bool is_p256(EVP_PKEY *key) {
    char group[32] = {};
    size_t size = 0;
    const bool named =
        EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1;
    ERR_clear_error();
    return named && std::string_view{group} == SN_X9_62_prime256v1;
}

} // namespace weft::tls

// SPDX-License-Identifier: Apache-2.0
// Reads PEM texts, strictly and bounded.
#pragma once
#include "engine/tls/openssl-handles.hpp"
#include <string_view>
#include <vector>

namespace weft::tls {

inline constexpr size_t max_chain_certificates = 8;
inline constexpr size_t max_trust_certificates = 256;

/// Every certificate of `text`. Empty where one is malformed, where there is none, or more than `limit`.
std::vector<OwnedCertificate> read_certificates(std::string_view text, size_t limit);

/// The private key; null where it is malformed or encrypted.
OwnedKey read_key(std::string_view text);

/// True for an ECDSA key on P-256.
bool is_p256(EVP_PKEY *key);

} // namespace weft::tls

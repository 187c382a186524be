// SPDX-License-Identifier: Apache-2.0
// Names of workloads: spiffe://<trust domain>/<path> (SPIFFE-ID, sections 2.1 to 2.4).
#pragma once
#include <string_view>

namespace weft::tls {

inline constexpr size_t max_spiffe_id_bytes = 2048;

/// True for a SPIFFE id that names a workload: lower-case trust domain of 1 to 255 bytes, a path of at least
/// one segment, no empty or dot segments, only letters, digits, `.`, `-` and `_`; no percent-encoding, port,
/// query or fragment.
bool is_spiffe_id(std::string_view text);

/// Whether a text for which `is_spiffe_id` holds names a process of the mesh itself: below /weft/ are nodes
/// and the controller, who prove themselves to each other and never to a workload.
bool is_system_id(std::string_view spiffe_id);

/// The trust domain of a text for which `is_spiffe_id` holds.
std::string_view trust_domain_of(std::string_view spiffe_id);

} // namespace weft::tls

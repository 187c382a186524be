// SPDX-License-Identifier: Apache-2.0
// Which fields of a head go on to the next hop, whatever version it speaks. Private to http1/ and http2/.
#pragma once
#include "engine/http1/extra-lines.hpp"
#include "engine/http1/write-head.hpp"

namespace weft::http1 {

/// What happens to one field of a forwarded head.
enum class Fate : uint8_t { keep, drop, replace };

/// False where the verdict's path or authorities are malformed.
bool is_sound_rewrite(const RequestHead &head, const RequestRewrite &rewrite);

/// The authority that the next hop shall see; empty where there is none.
Bytes forwarded_authority(Bytes input, const RequestHead &head, const RequestRewrite &rewrite);

Fate decide_request_field(const Field &field, std::string_view name, const RequestHead &head,
                          const RequestRewrite &rewrite, const ExtraLines &extra);
Fate decide_response_field(const Field &field, std::string_view name, const ResponseHead &head,
                           Framing framing, const ResponseRewrite &rewrite, const ExtraLines &extra);

} // namespace weft::http1

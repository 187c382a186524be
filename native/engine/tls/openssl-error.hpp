// SPDX-License-Identifier: Apache-2.0
// Names OpenSSL's errors by the project's reasons.
#pragma once
#include "engine/reasons.hpp"

namespace weft::tls {

struct OpensslError {
    Reason why = Reason::tls_handshake_failed;
    /// Lives for ever.
    const char *detail = "";
    /// The alert that the peer sent (RFC 8446 section 6.2); -1 where it was none.
    int alert = -1;
};

/// The first error of this thread's queue, which it empties: Node's own TLS uses the same queue.
/// `handshaking` tells what an error without a name of its own spoils.
OpensslError take_openssl_error(bool handshaking);

} // namespace weft::tls

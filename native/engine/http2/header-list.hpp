// SPDX-License-Identifier: Apache-2.0
// The fields of one outgoing header block, as nghttp2 wants them. Private to this library.
#pragma once
#include "engine/http2/session.hpp"
#include <nghttp2/nghttp2.h>
#include <vector>

namespace weft::http2 {

class HeaderList {
public:
    /// The request as it goes on; see http1::write_request_head for what is kept.
    Reason set_request(Bytes input, const http1::RequestHead &head, const http1::RequestRewrite &rewrite);
    Reason set_response(Bytes input, const http1::ResponseHead &head, const http1::ResponseRewrite &rewrite);
    Reason set_reply(const http1::LocalReply &reply);
    /// False where `lines` are not complete field lines that may be trailers.
    bool set_trailers(Bytes lines);

    const nghttp2_nv *data() const { return list_.data(); }
    size_t size() const { return list_.size(); }

private:
    void begin(size_t name_bytes);
    void add(std::string_view name, std::string_view value);
    /// `secret`: kept out of HPACK's table.
    void add(std::string_view name, std::string_view value, bool secret);
    void add_status(uint16_t status);
    bool add_lines(Bytes lines);

    std::vector<nghttp2_nv> list_;
    /// Names in lower case and numbers; never grows between `begin` and use, since the list points into it.
    std::vector<uint8_t> owned_;
};

} // namespace weft::http2

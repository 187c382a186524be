// SPDX-License-Identifier: Apache-2.0
// What the parser takes, the writer writes so that the parser reads the same message again: same framing,
// target, authority and end-to-end fields. A difference would be a way to smuggle.
#include "engine/http1/fuzz-input.hpp"
#include "engine/http1/parse-head.hpp"
#include "engine/http1/write-head.hpp"
#include <string>

using namespace weft::http1;
using weft::Reason;

namespace {

const Limits limits{.head_bytes = 4096, .head_fields = 20, .target_bytes = 512};

bool is_end_to_end(const Field &field) {
    return !field.hop_by_hop && field.id != FieldId::content_length && field.id != FieldId::host &&
           field.id != FieldId::expect && field.id != FieldId::trailer;
}

std::vector<std::pair<std::string, std::string>> end_to_end(const Fields &fields, Bytes input) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const Field &field : fields.all()) {
        if (is_end_to_end(field)) {
            all.emplace_back(field.name.text(input), field.value.text(input));
        }
    }
    return all;
}

void check_request(Bytes input, uint8_t choice) {
    static RequestHead head;
    static RequestHead again;
    head.reset();
    again.reset();
    Reason why = Reason::none;
    if (parse_request_head(input, limits, head, why) != Parse::complete) {
        return;
    }
    const bool has_path = head.form == TargetForm::origin || head.form == TargetForm::absolute;
    const bool rewritten = (choice & 1) != 0 && has_path;
    const RequestRewrite rewrite{.path = bytes_of(rewritten ? "/p?q" : ""),
                                 .fallback_authority = bytes_of("192.0.2.1:80"),
                                 .upgrade = (choice & 2) == 0};
    std::vector<uint8_t> out(request_head_bound(head, rewrite));
    const Written written = write_request_head(input, head, rewrite, out);
    require(written.why == Reason::none && written.size <= out.size());
    const Bytes text{out.data(), written.size};
    const Limits wide{.head_bytes = 8192, .head_fields = 24, .target_bytes = 1024};
    require(parse_request_head(text, wide, again, why) == Parse::complete);
    require(again.length == written.size && again.version == Version::http11);
    require(again.method_text.text(text) == head.method_text.text(input) && again.form == head.form);
    require(again.path.text(text) == (rewritten ? "/p?q" : head.path.text(input)));
    const std::string_view authority = head.authority.empty() ? "192.0.2.1:80" : head.authority.text(input);
    require(again.authority.text(text) == authority);
    require(again.framing == head.framing && again.content_length == head.content_length);
    require(again.upgrade == (head.upgrade && rewrite.upgrade) &&
            again.expect_continue == head.expect_continue);
    require(end_to_end(again.fields, text) == end_to_end(head.fields, input));
}

void check_response(Bytes input, uint8_t choice) {
    static ResponseHead head;
    static ResponseHead again;
    head.reset();
    again.reset();
    Reason why = Reason::none;
    const ResponseContext context{static_cast<Method>((choice >> 2) % 10), "websocket"};
    if (parse_response_head(input, context, limits, head, why) != Parse::complete) {
        return;
    }
    const ResponseRewrite rewrite{.client_version = (choice & 1) != 0 ? Version::http10 : Version::http11,
                                  .keep_alive = (choice & 2) != 0};
    std::vector<uint8_t> out(response_head_bound(head, rewrite));
    const Written written = write_response_head(input, head, rewrite, out);
    require(written.why == Reason::none && written.size <= out.size());
    if (written.size == 0) {
        require(head.interim && rewrite.client_version == Version::http10);
        return;
    }
    const Bytes text{out.data(), written.size};
    const Limits wide{.head_bytes = 8192, .head_fields = 24};
    require(parse_response_head(text, context, wide, again, why) == Parse::complete);
    require(again.length == written.size && again.status == head.status && again.framing == written.framing);
    require(again.tunnel == head.tunnel && again.interim == head.interim);
    require(again.content_length == head.content_length || head.tunnel || head.status == 204 ||
            head.status < 200);
    require(head.interim || head.tunnel || again.keep_alive == !written.close);
    require(end_to_end(again.fields, text) == end_to_end(head.fields, input));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const CutInput input{data, size};
    check_request(input.whole(), input.choice());
    check_response(input.whole(), input.choice());
    return 0;
}

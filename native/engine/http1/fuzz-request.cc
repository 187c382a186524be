// SPDX-License-Identifier: Apache-2.0
// Whatever arrives, however it is cut: no read outside the input, and one verdict.
#include "engine/http1/fuzz-input.hpp"
#include "engine/http1/parse-head.hpp"

using namespace weft::http1;
using weft::Reason;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static RequestHead whole;
    static RequestHead cut;
    Reason whole_why = Reason::none;
    Reason cut_why = Reason::none;
    const Limits limits{.head_bytes = 4096, .head_fields = 20, .target_bytes = 512};
    CutInput input{data, size};
    whole.reset();
    cut.reset();
    const Parse parsed = parse_request_head(input.whole(), limits, whole, whole_why);
    Parse again = parse_request_head(input.first(), limits, cut, cut_why);
    if (again == Parse::need_more) {
        again = parse_request_head(input.whole(), limits, cut, cut_why);
    }
    require(again == parsed && cut_why == whole_why);
    if (parsed == Parse::refused) {
        require(whole_why != Reason::none);
    }
    if (parsed != Parse::complete) {
        return 0;
    }
    require(cut.length == whole.length && cut.fields.count == whole.fields.count &&
            whole.length <= limits.head_bytes);
    require(whole.framing != Framing::until_close);
    require(whole.authority.empty() || is_authority(whole.authority.text(input.whole())));
    for (const Field &field : whole.fields.all()) {
        require(is_token(field.name.text(input.whole())) && is_field_value(field.value.text(input.whole())));
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/fuzz-input.hpp"
#include "engine/http1/parse-head.hpp"

using namespace weft::http1;
using weft::Reason;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static ResponseHead whole;
    static ResponseHead cut;
    Reason whole_why = Reason::none;
    Reason cut_why = Reason::none;
    const Limits limits{.head_bytes = 4096, .head_fields = 20};
    CutInput input{data, size};
    const ResponseContext context{static_cast<Method>(input.choice() % 10),
                                  (input.choice() & 16) != 0 ? "websocket" : ""};
    whole.reset();
    cut.reset();
    const Parse parsed = parse_response_head(input.whole(), context, limits, whole, whole_why);
    Parse again = parse_response_head(input.first(), context, limits, cut, cut_why);
    if (again == Parse::need_more) {
        again = parse_response_head(input.whole(), context, limits, cut, cut_why);
    }
    require(again == parsed && cut_why == whole_why && cut.detail == whole.detail);
    if (parsed == Parse::refused) {
        require(whole_why == Reason::http1_bad_response || whole_why == Reason::http1_upgrade_refused);
    }
    if (parsed == Parse::complete) {
        require(cut.length == whole.length && cut.framing == whole.framing);
        require(!(whole.keep_alive && whole.framing == Framing::until_close));
        require(whole.status >= 100 && whole.status <= 599);
    }
    return 0;
}

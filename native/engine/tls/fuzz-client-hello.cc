// SPDX-License-Identifier: Apache-2.0
// The sniffer: never reads too far, answers in bounded bytes, and gives one answer however the bytes are cut.
#include "engine/http1/fuzz-input.hpp"
#include "engine/tls/client-hello.hpp"

using namespace weft::tls;
using weft::http1::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const weft::http1::CutInput input{data, size};
    const Sniffed whole = sniff_client_hello(input.whole());
    const Sniffed first = sniff_client_hello(input.first());
    require(whole.kind != Sniff::needs_more || input.whole().size() < max_sniffed_bytes);
    require((whole.kind == Sniff::weft_client_hello) == !whole.offered.empty());
    if (first.kind != Sniff::needs_more) {
        require(first.kind == whole.kind && first.offered == whole.offered);
    }
    return 0;
}

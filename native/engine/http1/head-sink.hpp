// SPDX-License-Identifier: Apache-2.0
// Appends to the caller's room, never behind its end. Private to this library.
#pragma once
#include "engine/http1/forward-fields.hpp"
#include <cstring>

namespace weft::http1 {

class HeadSink {
public:
    explicit HeadSink(std::span<uint8_t> room) : room_(room) {}

    void put(const void *from, size_t size) {
        if (size > room_.size() - size_) {
            overflowed_ = true;
            return;
        }
        if (size > 0) {
            std::memcpy(room_.data() + size_, from, size);
        }
        size_ += size;
    }
    void put(std::string_view text) { put(text.data(), text.size()); }
    void put(Bytes bytes) { put(bytes.data(), bytes.size()); }
    void put_number(uint64_t value);

    size_t size() const { return size_; }
    /// True where something did not fit: the room was smaller than the bound.
    bool overflowed() const { return overflowed_; }

private:
    std::span<uint8_t> room_;
    size_t size_ = 0;
    bool overflowed_ = false;
};

/// Room for what the writers add of their own: fixed names, versions, numbers.
inline constexpr size_t own_bytes = 256;

/// Copies the fields for which `decide(field)` says keep, in order and as they were written; lines that were
/// canonical and lie side by side are copied at once. `replace(field)` writes a line instead.
template <typename Decide, typename Replace>
void copy_fields(Bytes input, const Fields &fields, HeadSink &sink, Decide decide, Replace replace) {
    uint32_t run = 0;
    uint32_t run_end = 0;
    const auto flush = [&] { sink.put(input.subspan(run, run_end - run)); };
    for (const Field &field : fields.all()) {
        const Fate fate = decide(field);
        const uint32_t line_end = field.value.offset + field.value.length + 2;
        if (fate == Fate::keep && field.canonical) {
            if (field.name.offset != run_end) {
                flush();
                run = field.name.offset;
            }
            run_end = line_end;
            continue;
        }
        flush();
        run = run_end = 0;
        if (fate == Fate::keep) {
            sink.put(field.name.in(input));
            sink.put(": ");
            sink.put(field.value.in(input));
            sink.put("\r\n");
        } else if (fate == Fate::replace) {
            replace(field);
        }
    }
    flush();
}

} // namespace weft::http1

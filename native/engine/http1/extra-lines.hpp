// SPDX-License-Identifier: Apache-2.0
// The further lines of a verdict, and which names they hold. Private to this library.
#pragma once
#include "engine/http1/edit.hpp"

namespace weft::http1 {

class ExtraLines {
public:
    /// False where `lines` are not what `are_field_lines` says. `lines` must outlive this.
    bool read(Bytes lines);
    /// True where one of the lines has this name.
    bool has(uint32_t hash, std::string_view name) const;
    Bytes lines() const { return lines_; }

private:
    struct Name {
        uint32_t hash;
        Span text;
    };
    Bytes lines_;
    uint64_t filter_ = 0;
    size_t count_ = 0;
    std::array<Name, max_extra_lines> names_;
};

} // namespace weft::http1

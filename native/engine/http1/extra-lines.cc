// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/extra-lines.hpp"
#include "engine/http1/parse-fields.hpp"

namespace weft::http1 {
namespace {

uint64_t filter_bit(uint32_t hash) {
    return uint64_t{1} << (hash & 63);
}

} // namespace

bool ExtraLines::read(Bytes lines) {
    uint32_t at = 0;
    while (at < lines.size()) {
        Field field;
        Reason why = Reason::none;
        uint32_t next = 0;
        const bool whole = parse_field_line(lines, at, field, next, why) == Line::field;
        if (!whole || is_reserved_field(field.id) || count_ == names_.size()) {
            return false;
        }
        names_[count_++] = {field.hash, field.name};
        filter_ |= filter_bit(field.hash);
        at = next;
    }
    lines_ = lines;
    return true;
}

bool ExtraLines::has(uint32_t hash, std::string_view name) const {
    if ((filter_ & filter_bit(hash)) == 0) {
        return false;
    }
    for (size_t i = 0; i < count_; ++i) {
        if (names_[i].hash == hash && same_name(names_[i].text.text(lines_), name)) {
            return true;
        }
    }
    return false;
}

} // namespace weft::http1

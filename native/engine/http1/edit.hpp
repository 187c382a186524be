// SPDX-License-Identifier: Apache-2.0
// Header edits and local replies: checked and compiled to bytes once, when the configuration defines them.
#pragma once
#include "engine/http1/message.hpp"
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weft::http1 {

using Header = std::pair<std::string, std::string>;

/// As `Edit` in native/engine.ts.
struct EditDefinition {
    std::vector<Header> set;
    std::vector<Header> add;
    std::vector<std::string> remove;
};

/// As `Reply` in native/engine.ts.
struct ReplyDefinition {
    uint16_t status = 0;
    std::vector<Header> headers;
    std::string body;
};

/// What is wrong with a definition: `field` is a path such as `set[2]`.
struct Problem {
    std::string field;
    std::string value;
    std::string message;
};

/// A compiled edit: `set` and `remove` take away every field of that name, then `set` and `add` lines follow.
class Edit {
public:
    /// Refuses names that are no token, values with control characters, and fields that only the engine may
    /// write (framing, hop-by-hop, Host); nothing is compiled then.
    static std::optional<Problem> compile(const EditDefinition &definition, Edit &out);

    /// True where the forwarded head must not keep this field.
    bool removes(uint32_t hash, std::string_view name) const;
    /// Lines to append, each with its CRLF.
    std::string_view lines() const { return lines_; }

private:
    struct Name {
        uint32_t hash;
        std::string text;
    };
    std::vector<Name> removed_;
    std::string lines_;
    uint64_t filter_ = 0;
};

/// A compiled local reply.
class Reply {
public:
    /// Status 200 to 599; header rules as for `Edit`; 204, 205 and 304 have no body.
    static std::optional<Problem> compile(const ReplyDefinition &definition, Reply &out);

    uint16_t status() const { return status_; }
    std::string_view lines() const { return lines_; }
    std::string_view body() const { return body_; }

private:
    uint16_t status_ = 500;
    std::string lines_;
    std::string body_;
};

/// True where nobody but the engine may write this field: framing, hop-by-hop fields and Host.
bool is_reserved_field(FieldId id);

/// True where `lines` are zero or more complete field lines, each `name: value CRLF`, none of them reserved;
/// at most `max_extra_lines`. Checked for every verdict's extra lines, since text of a request may have got
/// into them.
bool are_field_lines(Bytes lines);
inline constexpr size_t max_extra_lines = 32;

} // namespace weft::http1

// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/edit.hpp"
#include "engine/http1/extra-lines.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-head.hpp"

namespace weft::http1 {
namespace {

constexpr size_t max_compiled_bytes = 64 * 1024;

std::optional<Problem> check_name(const std::string &field, const std::string &name) {
    if (!is_token(name)) {
        return Problem{field, name, "is no field name; use letters, digits and -"};
    }
    if (is_reserved_field(find_field_id(name)) || imitates_guarded_field(name)) {
        return Problem{field, name, "is written by the engine alone; remove it from the edit"};
    }
    return std::nullopt;
}

std::optional<Problem> append_lines(const std::string &list, const std::vector<Header> &headers,
                                    std::string &lines) {
    for (size_t i = 0; i < headers.size(); ++i) {
        const auto &[name, value] = headers[i];
        const std::string field = list + "[" + std::to_string(i) + "]";
        if (auto problem = check_name(field, name)) {
            return problem;
        }
        if (!is_field_value(value)) {
            return Problem{field, value, "holds a control character, or white space at an end; remove it"};
        }
        lines += name;
        lines += ": ";
        lines += value;
        lines += "\r\n";
    }
    if (lines.size() > max_compiled_bytes) {
        return Problem{list, std::to_string(lines.size()),
                       "has more than 65536 bytes; use fewer or shorter fields"};
    }
    return std::nullopt;
}

uint64_t filter_bit(uint32_t hash) {
    return uint64_t{1} << (hash & 63);
}

} // namespace

bool is_reserved_field(FieldId id) {
    return (field_rules(id) & reserved_rule) != 0;
}

std::optional<Problem> Edit::compile(const EditDefinition &definition, Edit &out) {
    Edit edit;
    const auto take_away = [&edit](const std::string &name) {
        const uint32_t hash = hash_name(name);
        edit.removed_.push_back({hash, name});
        edit.filter_ |= filter_bit(hash);
    };
    for (size_t i = 0; i < definition.remove.size(); ++i) {
        if (auto problem = check_name("remove[" + std::to_string(i) + "]", definition.remove[i])) {
            return problem;
        }
        take_away(definition.remove[i]);
    }
    if (auto problem = append_lines("set", definition.set, edit.lines_)) {
        return problem;
    }
    for (const Header &header : definition.set) {
        take_away(header.first);
    }
    if (auto problem = append_lines("add", definition.add, edit.lines_)) {
        return problem;
    }
    out = std::move(edit);
    return std::nullopt;
}

bool Edit::removes(uint32_t hash, std::string_view name) const {
    if ((filter_ & filter_bit(hash)) == 0) {
        return false;
    }
    for (const Name &each : removed_) {
        if (each.hash == hash && same_name(each.text, name)) {
            return true;
        }
    }
    return false;
}

std::optional<Problem> Reply::compile(const ReplyDefinition &definition, Reply &out) {
    if (definition.status < 200 || definition.status > 599) {
        return Problem{"status", std::to_string(definition.status), "is no final status; use 200 to 599"};
    }
    const bool bodiless = definition.status == 204 || definition.status == 205 || definition.status == 304;
    if (bodiless && !definition.body.empty()) {
        return Problem{"body", definition.body, "may not follow this status; leave it empty"};
    }
    Reply reply;
    if (auto problem = append_lines("headers", definition.headers, reply.lines_)) {
        return problem;
    }
    reply.status_ = definition.status;
    reply.body_ = definition.body;
    out = std::move(reply);
    return std::nullopt;
}

bool are_field_lines(Bytes lines) {
    ExtraLines extra;
    return extra.read(lines);
}

} // namespace weft::http1

// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/field-table.hpp"
#include "engine/http1/scan.hpp"
#include <bit>
#include <type_traits>

namespace weft::http1 {
namespace {

constexpr size_t id_count = static_cast<size_t>(FieldId::count);

struct Entry {
    std::string_view name;
    uint8_t rules;
};

constexpr uint8_t hop = hop_rule | no_trailer_rule | reserved_rule | guarded_rule;
constexpr uint8_t framing = hop | keep_rule;
constexpr uint8_t length = no_trailer_rule | reserved_rule | guarded_rule | keep_rule;
constexpr uint8_t plain = keep_rule | no_trailer_rule;
constexpr uint8_t guarded = plain | guarded_rule;

/// In the order of FieldId. ETag may be a trailer: it is known only when the content is.
constexpr std::array<Entry, id_count> entries{{
    {"", 0},
    {"connection", framing},
    {"content-length", length},
    {"expect", guarded | reserved_rule},
    {"host", guarded | reserved_rule},
    {"http2-settings", hop},
    {"keep-alive", hop},
    {"proxy-connection", hop},
    {"te", hop},
    {"trailer", no_trailer_rule | guarded_rule | reserved_rule},
    {"transfer-encoding", framing},
    {"upgrade", hop},
    {"accept", plain},
    {"accept-encoding", plain},
    {"age", plain},
    {"authorization", guarded},
    {"cache-control", plain},
    {"content-encoding", plain},
    {"content-range", plain},
    {"content-type", plain},
    {"cookie", guarded},
    {"date", plain},
    {"etag", keep_rule},
    {"expires", plain},
    {"forwarded", guarded},
    {"if-match", plain},
    {"if-modified-since", plain},
    {"if-none-match", plain},
    {"if-range", plain},
    {"if-unmodified-since", plain},
    {"last-modified", plain},
    {"location", plain},
    {"max-forwards", plain},
    {"origin", plain},
    {"pragma", plain},
    {"proxy-authenticate", plain},
    {"proxy-authorization", guarded},
    {"range", plain},
    {"referer", plain},
    {"retry-after", plain},
    {"server", plain},
    {"set-cookie", plain},
    {"traceparent", plain},
    {"tracestate", plain},
    {"user-agent", plain},
    {"vary", plain},
    {"via", plain},
    {"www-authenticate", plain},
    {"x-forwarded-client-cert", guarded},
    {"x-forwarded-for", guarded},
    {"x-forwarded-host", guarded},
    {"x-forwarded-proto", guarded},
    {"x-real-ip", guarded},
    {"x-request-id", plain},
}};

constexpr size_t slot_count = 256;

struct Table {
    std::array<uint32_t, id_count> hashes{};
    /// Open addressing; `unknown` is an empty slot.
    std::array<FieldId, slot_count> slots{};
};

constexpr Table make_table() {
    Table table;
    for (size_t id = 1; id < id_count; ++id) {
        const uint32_t hash = hash_name_of(entries[id].name.data(), entries[id].name.size());
        table.hashes[id] = hash;
        size_t slot = hash % slot_count;
        while (table.slots[slot] != FieldId::unknown) {
            slot = (slot + 1) % slot_count;
        }
        table.slots[slot] = static_cast<FieldId>(id);
    }
    return table;
}

constexpr Table table = make_table();

} // namespace

uint8_t field_rules(FieldId id) {
    return entries[static_cast<size_t>(id)].rules;
}

std::string_view field_name(FieldId id) {
    return entries[static_cast<size_t>(id)].name;
}

uint32_t hash_name(std::string_view name) {
    return hash_name_of(name.data(), name.size());
}

bool same_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    const auto [a_head, a_tail] = detail::load_ends(a.data(), a.size());
    const auto [b_head, b_tail] = detail::load_ends(b.data(), b.size());
    if (detail::lower_case(a_head) != detail::lower_case(b_head) ||
        detail::lower_case(a_tail) != detail::lower_case(b_tail)) {
        return false;
    }
    for (size_t at = 8; at + 8 < a.size(); at += 8) {
        if (detail::lower_case(detail::load(a.data() + at, 8)) !=
            detail::lower_case(detail::load(b.data() + at, 8))) {
            return false;
        }
    }
    return true;
}

FieldId find_field_id(std::string_view name, uint32_t hash) {
    for (size_t slot = hash % slot_count; table.slots[slot] != FieldId::unknown;
         slot = (slot + 1) % slot_count) {
        const auto id = static_cast<size_t>(table.slots[slot]);
        if (table.hashes[id] == hash && same_name(name, entries[id].name)) {
            return table.slots[slot];
        }
    }
    return FieldId::unknown;
}

FieldId find_field_id(std::string_view name) {
    return find_field_id(name, hash_name(name));
}

bool is_mesh_name(std::string_view name) {
    constexpr std::string_view prefix = "x-weft-";
    if (name.size() < prefix.size() || (name[1] != '-' && name[1] != '_')) {
        return false;
    }
    std::array<char, prefix.size()> mapped{};
    for (size_t i = 0; i < mapped.size(); ++i) {
        mapped[i] = name[i] == '_' ? '-' : name[i];
    }
    return same_name({mapped.data(), mapped.size()}, prefix);
}

bool may_be_trailer(FieldId id, std::string_view name) {
    return id == FieldId::unknown ? !is_mesh_name(name) : (field_rules(id) & no_trailer_rule) == 0;
}

bool imitates_guarded_field(std::string_view name) {
    constexpr size_t longest = 32;
    if (name.size() > longest || name.find('_') == std::string_view::npos) {
        return false;
    }
    std::array<char, longest> mapped{};
    for (size_t i = 0; i < name.size(); ++i) {
        mapped[i] = name[i] == '_' ? '-' : name[i];
    }
    return (field_rules(find_field_id({mapped.data(), name.size()})) & guarded_rule) != 0;
}

} // namespace weft::http1

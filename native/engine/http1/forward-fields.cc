// SPDX-License-Identifier: Apache-2.0
#include "engine/http1/forward-fields.hpp"
#include "engine/http1/field-table.hpp"
#include "engine/http1/parse-head.hpp"

namespace weft::http1 {
namespace {

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Fields by which meshes tell each other who is calling. What an application or a stranger writes into them
/// must not look like the mesh's own word.
bool speaks_for_the_mesh(const Field &field, std::string_view name) {
    return field.id == FieldId::unknown ? is_mesh_name(name) : field.id == FieldId::x_forwarded_client_cert;
}

bool keeps_length(const ResponseHead &head) {
    return head.status >= 200 && head.status != 204 && !head.tunnel;
}

} // namespace

bool is_sound_rewrite(const RequestHead &head, const RequestRewrite &rewrite) {
    const std::string_view path = text_of(rewrite.path);
    const bool path_ok = path.empty() || (is_path(path) && (path != "*" || head.method == Method::OPTIONS));
    const bool authority_ok = rewrite.authority.empty() || is_authority(text_of(rewrite.authority));
    const bool fallback_ok =
        rewrite.fallback_authority.empty() || is_authority(text_of(rewrite.fallback_authority));
    return path_ok && authority_ok && fallback_ok;
}

Bytes forwarded_authority(Bytes input, const RequestHead &head, const RequestRewrite &rewrite) {
    if (!rewrite.authority.empty()) {
        return rewrite.authority;
    }
    return head.authority.empty() ? rewrite.fallback_authority : head.authority.in(input);
}

Fate decide_request_field(const Field &field, std::string_view name, const RequestHead &head,
                          const RequestRewrite &rewrite, const ExtraLines &extra) {
    if (field.hop_by_hop || (field.id == FieldId::expect && !head.expect_continue) ||
        speaks_for_the_mesh(field, name)) {
        return Fate::drop;
    }
    if (field.id == FieldId::host && !rewrite.authority.empty()) {
        return Fate::replace;
    }
    const bool edited = rewrite.edit != nullptr && rewrite.edit->removes(field.hash, name);
    return edited || extra.has(field.hash, name) ? Fate::drop : Fate::keep;
}

Fate decide_response_field(const Field &field, std::string_view name, const ResponseHead &head,
                           Framing framing, const ResponseRewrite &rewrite, const ExtraLines &extra) {
    const bool unframed = field.id == FieldId::content_length && !keeps_length(head);
    const bool no_trailers = field.id == FieldId::trailer && framing != Framing::chunked;
    if (field.hop_by_hop || unframed || no_trailers) {
        return Fate::drop;
    }
    const bool edited = rewrite.edit != nullptr && rewrite.edit->removes(field.hash, name);
    return edited || extra.has(field.hash, name) ? Fate::drop : Fate::keep;
}

} // namespace weft::http1

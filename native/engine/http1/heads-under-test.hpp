// SPDX-License-Identifier: Apache-2.0
// Parses a head whole, and cut at every place, between guard pages; all must agree. For tests alone.
#pragma once
#include "engine/http1/parse-head.hpp"
#include "engine/test/testing.hpp"
#include <memory>

namespace weft::http1 {

template <typename Head> struct Outcome {
    Parse parse = Parse::need_more;
    Reason why = Reason::none;
    Head head;

    bool same_as(const Outcome &other) const {
        if (parse != other.parse || why != other.why) {
            return false;
        }
        return parse != Parse::complete || show() == other.show();
    }
    std::string show() const;
};

inline std::string show_span(Span span) {
    return std::to_string(span.offset) + "+" + std::to_string(span.length) + " ";
}

inline std::string show_fields(const Fields &fields) {
    std::string out = std::to_string(fields.count) + ":";
    for (const Field &field : fields.all()) {
        out += show_span(field.name) + show_span(field.value) + std::to_string(static_cast<int>(field.id));
        out += field.hop_by_hop ? "h;" : ";";
    }
    return out;
}

template <> inline std::string Outcome<RequestHead>::show() const {
    std::ostringstream out;
    out << head.length << ' ' << show_span(head.method_text) << show_span(head.target) << show_span(head.path)
        << show_span(head.authority) << show_span(head.upgrade_token) << head.content_length << ' '
        << static_cast<int>(head.method) << static_cast<int>(head.form) << static_cast<int>(head.version)
        << static_cast<int>(head.framing) << head.keep_alive << head.upgrade << head.expect_continue
        << head.accepts_trailers << head.plain_path << ' ' << show_fields(head.fields);
    return out.str();
}

template <> inline std::string Outcome<ResponseHead>::show() const {
    std::ostringstream out;
    out << head.length << ' ' << show_span(head.reason_phrase) << head.content_length << ' ' << head.status
        << ' ' << static_cast<int>(head.version) << static_cast<int>(head.framing) << head.keep_alive
        << head.interim << head.tunnel << ' ' << show_fields(head.fields);
    return out.str();
}

/// `parse(Bytes, Head &, Reason &)`.
template <typename Head, typename Function>
std::unique_ptr<Outcome<Head>> parse_every_way(std::string_view text, Function parse) {
    using weft::testing::GuardedBytes;
    GuardedBytes first{text.size() + 1};
    GuardedBytes second{text.size() + 1};
    auto whole = std::make_unique<Outcome<Head>>();
    auto cut = std::make_unique<Outcome<Head>>();
    whole->parse = parse(first.at_end(text), whole->head, whole->why);
    cut->parse = parse(first.at_start(text), cut->head, cut->why);
    CHECK(whole->same_as(*cut));
    for (size_t at = 0; at < text.size(); ++at) {
        cut->head.reset();
        cut->parse = parse(first.at_end(text.substr(0, at)), cut->head, cut->why);
        if (cut->parse == Parse::need_more) {
            CHECK_EQUAL(cut->why, Reason::none);
            // The buffer moved, and the bytes before are elsewhere now.
            cut->parse = parse(second.at_end(text), cut->head, cut->why);
        }
        if (!whole->same_as(*cut)) {
            weft::testing::fail(__FILE__, __LINE__,
                                "cut at " + std::to_string(at) + " of " + std::string(text));
        }
    }
    cut->head.reset();
    cut->parse = Parse::need_more;
    for (size_t at = 0; at <= text.size() && cut->parse == Parse::need_more; ++at) {
        cut->parse = parse((at % 2 == 0 ? first : second).at_end(text.substr(0, at)), cut->head, cut->why);
    }
    CHECK(whole->same_as(*cut));
    return whole;
}

inline std::unique_ptr<Outcome<RequestHead>> parse_request(std::string_view text, const Limits &limits = {}) {
    return parse_every_way<RequestHead>(text, [&](Bytes input, RequestHead &head, Reason &why) {
        return parse_request_head(input, limits, head, why);
    });
}

inline std::unique_ptr<Outcome<ResponseHead>>
parse_response(std::string_view text, const ResponseContext &context = {Method::GET, {}},
               const Limits &limits = {}) {
    return parse_every_way<ResponseHead>(text, [&](Bytes input, ResponseHead &head, Reason &why) {
        return parse_response_head(input, context, limits, head, why);
    });
}

} // namespace weft::http1

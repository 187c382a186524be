// SPDX-License-Identifier: Apache-2.0
#include "addon/engine-layout.hpp"
#include "engine/http1/message.hpp"
#include "engine/tls/alpn.hpp"
#include <initializer_list>
#include <utility>

namespace weft {
namespace {

using Words = std::initializer_list<std::pair<const char *, uint32_t>>;

Napi::Object to_object(Napi::Env env, Words words) {
    const Napi::Object out = Napi::Object::New(env);
    for (const auto &[name, value] : words)
        out.Set(name, Napi::Number::New(env, value));
    return out;
}

template <class Enum> uint32_t value_of(Enum word) {
    return static_cast<uint32_t>(word);
}

Napi::Object describe_method(Napi::Env env) {
    using http1::Method;
    return to_object(env, {{"other", value_of(Method::other)},
                           {"GET", value_of(Method::GET)},
                           {"HEAD", value_of(Method::HEAD)},
                           {"POST", value_of(Method::POST)},
                           {"PUT", value_of(Method::PUT)},
                           {"DELETE", value_of(Method::DELETE)},
                           {"CONNECT", value_of(Method::CONNECT)},
                           {"OPTIONS", value_of(Method::OPTIONS)},
                           {"TRACE", value_of(Method::TRACE)},
                           {"PATCH", value_of(Method::PATCH)}});
}

Napi::Object describe_action(Napi::Env env) {
    return to_object(env, {{"http", value_of(Action::http)},
                           {"tunnel", value_of(Action::tunnel)},
                           {"forward", value_of(Action::forward)},
                           {"reply", value_of(Action::reply)},
                           {"park", value_of(Action::park)},
                           {"reset", value_of(Action::reset)},
                           {"pass", value_of(Action::pass)},
                           {"secure", value_of(Action::secure)},
                           {"sniff", value_of(Action::sniff)}});
}

Napi::Array describe_columns(Napi::Env env, const std::vector<ColumnLayout> &columns) {
    const Napi::Array out = Napi::Array::New(env, columns.size());
    uint32_t index = 0;
    for (const ColumnLayout &column : columns) {
        const Napi::Object item =
            to_object(env, {{"elementBytes", static_cast<uint32_t>(column.element_bytes)},
                            {"perRow", static_cast<uint32_t>(column.per_row)},
                            {"offset", static_cast<uint32_t>(column.offset)},
                            {"elements", static_cast<uint32_t>(column.elements)}});
        item.Set("name", column.name);
        out.Set(index++, item);
    }
    return out;
}

Napi::Object describe_range(Napi::Env env, RangeLayout range) {
    return to_object(env, {{"offset", static_cast<uint32_t>(range.offset)},
                           {"bytes", static_cast<uint32_t>(range.bytes)}});
}

} // namespace

Napi::Object describe_words(Napi::Env env) {
    const Napi::Object out = Napi::Object::New(env);
    out.Set("RowKind", to_object(env, {{"connection", value_of(RowKind::connection)},
                                       {"request", value_of(RowKind::request)},
                                       {"attemptFailed", value_of(RowKind::attempt_failed)},
                                       {"secured", value_of(RowKind::secured)},
                                       {"sniffed", value_of(RowKind::sniffed)}}));
    out.Set("Action", describe_action(env));
    out.Set("Alpn", to_object(env, {{"none", value_of(tls::Alpn::none)},
                                    {"h1", value_of(tls::Alpn::http1)},
                                    {"tcp", value_of(tls::Alpn::tcp)},
                                    {"h2", value_of(tls::Alpn::http2)}}));
    out.Set("Direction", to_object(env, {{"outbound", value_of(Direction::outbound)},
                                         {"inbound", value_of(Direction::inbound)}}));
    out.Set("Method", describe_method(env));
    out.Set("RowFlag", to_object(env, {{"http10", row_flag::http10},
                                       {"upgrade", row_flag::upgrade},
                                       {"hasBody", row_flag::has_body},
                                       {"chunked", row_flag::chunked},
                                       {"plainPath", row_flag::plain_path},
                                       {"notSent", row_flag::not_sent},
                                       {"unanswered", row_flag::unanswered}}));
    out.Set("VerdictFlag", to_object(env, {{"askOnConnectFailure", verdict_flag::ask_on_connect_failure},
                                           {"askOnResponse", verdict_flag::ask_on_response},
                                           {"closeAfter", verdict_flag::close_after},
                                           {"http2", verdict_flag::http2}}));
    out.Set("CompletionKind", to_object(env, {{"connection", value_of(CompletionKind::connection)},
                                              {"request", value_of(CompletionKind::request)},
                                              {"attempt", value_of(CompletionKind::attempt)}}));
    out.Set("numbers", to_object(env, {{"originalDestination", original_destination},
                                       {"maxWantedHeaders", max_wanted_headers},
                                       {"absentHeader", absent_header}}));
    return out;
}

Napi::Object describe_batch(Napi::Env env, const Batch &batch) {
    const Napi::Object out = Napi::Object::New(env);
    out.Set("rows", describe_columns(env, batch.row_layout()));
    out.Set("verdicts", describe_columns(env, batch.verdict_layout()));
    out.Set("completions", describe_columns(env, batch.completion_layout()));
    out.Set("text", describe_range(env, batch.text_layout()));
    out.Set("scratch", describe_range(env, batch.scratch_layout()));
    out.Set("control", describe_range(env, batch.control_layout()));
    return out;
}

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "addon/engine-arguments.hpp"
#include <openssl/crypto.h>

namespace weft {
namespace {

[[noreturn]] void refuse(Napi::Env env, const std::string &name, const char *wanted) {
    throw Napi::TypeError::New(env, name + " must be " + wanted);
}

uint32_t to_uint32(const Napi::Value &value, const std::string &name) {
    if (!value.IsNumber())
        refuse(value.Env(), name, "a number");
    const double number = value.As<Napi::Number>().DoubleValue();
    if (!(number >= 0 && number <= UINT32_MAX) ||
        number != static_cast<double>(static_cast<uint32_t>(number)))
        throw Napi::RangeError::New(value.Env(), name + " must be an integer from 0 to 4294967295");
    return static_cast<uint32_t>(number);
}

uint16_t to_uint16(const Napi::Value &value, const std::string &name) {
    const uint32_t number = to_uint32(value, name);
    if (number > UINT16_MAX)
        throw Napi::RangeError::New(value.Env(), name + " must be at most 65535");
    return static_cast<uint16_t>(number);
}

Napi::Object to_object(const Napi::Value &value, const std::string &name) {
    if (!value.IsObject())
        refuse(value.Env(), name, "an object");
    return value.As<Napi::Object>();
}

Napi::Array to_array(const Napi::Value &value, const std::string &name) {
    if (!value.IsArray())
        refuse(value.Env(), name, "an array");
    return value.As<Napi::Array>();
}

std::string to_text(const Napi::Value &value, const std::string &name) {
    if (!value.IsString())
        refuse(value.Env(), name, "a string");
    return value.As<Napi::String>().Utf8Value();
}

/// A member where it is there and not undefined.
template <class Number> void optional(const Napi::Object &object, const char *name, Number &out) {
    const Napi::Value value = object.Get(name);
    if (!value.IsUndefined())
        out = static_cast<Number>(sizeof(Number) == 2 ? to_uint16(value, name) : to_uint32(value, name));
}

std::vector<http1::Header> to_headers(const Napi::Value &value, const std::string &name) {
    const Napi::Array list = to_array(value, name);
    std::vector<http1::Header> headers;
    for (uint32_t i = 0; i < list.Length(); ++i) {
        const Napi::Array pair = to_array(list.Get(i), name + "[]");
        headers.emplace_back(to_text(pair.Get(0U), name + "[][0]"), to_text(pair.Get(1U), name + "[][1]"));
    }
    return headers;
}

} // namespace

uint32_t uint32_argument(const Napi::CallbackInfo &info, size_t index, const char *name) {
    return to_uint32(info[index], name);
}

LoopOptions loop_options(const Napi::Object &options) {
    LoopOptions out;
    const Napi::Value map = options.Get("notesMap");
    if (!map.IsNumber())
        refuse(options.Env(), "notesMap", "a number");
    out.notes_map = map.As<Napi::Number>().Int32Value();
    out.spin_us = 200;
    out.spin_turns = 16;
    const Napi::Value given = options.Get("limits");
    if (given.IsUndefined())
        return out;
    const Napi::Object limits = to_object(given, "limits");
    optional(limits, "spinUs", out.spin_us);
    optional(limits, "spinTurns", out.spin_turns);
    optional(limits, "batchRows", out.limits.batch_rows);
    optional(limits, "headBytes", out.limits.http1.head_bytes);
    optional(limits, "headFields", out.limits.http1.head_fields);
    optional(limits, "targetBytes", out.limits.http1.target_bytes);
    optional(limits, "headerTimeoutMs", out.limits.header_timeout_ms);
    optional(limits, "idleTimeoutMs", out.limits.idle_timeout_ms);
    optional(limits, "tunnelIdleTimeoutMs", out.limits.tunnel_idle_timeout_ms);
    optional(limits, "connectTimeoutMs", out.limits.connect_timeout_ms);
    optional(limits, "parkTimeoutMs", out.limits.park_timeout_ms);
    optional(limits, "parked", out.limits.parked);
    optional(limits, "bufferBytes", out.limits.buffer_bytes);
    optional(limits, "turnBytes", out.limits.turn_bytes);
    optional(limits, "poolIdle", out.limits.pool_idle);
    optional(limits, "poolIdleTimeoutMs", out.limits.pool_idle_timeout_ms);
    optional(limits, "turnHandshakes", out.limits.turn_handshakes);
    optional(limits, "tlsHandshakeTimeoutMs", out.limits.tls_handshake_timeout_ms);
    optional(limits, "tlsSessions", out.limits.tls_sessions);
    optional(limits, "tlsHandshakes", out.limits.tls_handshakes);
    optional(limits, "sniffTimeoutMs", out.limits.sniff_timeout_ms);
    optional(limits, "http2ConcurrentStreams", out.limits.http2.concurrent_streams);
    optional(limits, "http2StreamWindowBytes", out.limits.http2.stream_window);
    optional(limits, "http2ConnectionWindowBytes", out.limits.http2.connection_window);
    return out;
}

WorkloadOptions workload_options(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object options = to_object(info[index], "options");
    WorkloadOptions out;
    optional(options, "connections", out.connections);
    optional(options, "pendingRequests", out.pending_requests);
    optional(options, "cpuShare", out.cpu_share);
    const Napi::Value buffered = options.Get("bufferedBytes");
    if (!buffered.IsNumber() || !(buffered.As<Napi::Number>().DoubleValue() >= 0))
        refuse(info.Env(), "bufferedBytes", "a number, 0 or more");
    out.buffered_bytes = static_cast<uint64_t>(buffered.As<Napi::Number>().Int64Value());
    return out;
}

Endpoint endpoint_argument(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object options = to_object(info[index], "endpoint");
    const std::string text = to_text(options.Get("address"), "address");
    const auto address = Address::parse(text, to_uint16(options.Get("port"), "port"));
    if (!address || address->port == 0)
        throw Napi::RangeError::New(info.Env(),
                                    "endpoint " + text + " must have an IP address and a port of 1 or more");
    const std::string transport = to_text(options.Get("transport"), "transport");
    const std::string identity = to_text(options.Get("identity"), "identity");
    if (transport != "plaintext" && transport != "tls")
        refuse(info.Env(), "transport", "'plaintext' or 'tls'");
    if ((transport == "tls") != !identity.empty())
        throw Napi::RangeError::New(info.Env(), "identity must be a SPIFFE id for tls, and '' for plaintext");
    return {.address = *address,
            .destination = to_uint32(options.Get("destination"), "destination"),
            .generation = to_uint32(options.Get("generation"), "generation"),
            .identity = identity,
            .defined = true};
}

SecretText::~SecretText() {
    OPENSSL_cleanse(text.key.data(), text.key.size());
}

SecretText identity_argument(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object given = to_object(info[index], "identity");
    SecretText out;
    out.text.certificate = to_text(given.Get("certificate"), "certificate");
    out.text.trust = to_text(given.Get("trust"), "trust");
    out.text.spiffe_id = to_text(given.Get("spiffeId"), "spiffeId");
    out.text.generation = to_uint32(given.Get("generation"), "generation");
    out.text.key = to_text(given.Get("key"), "key");
    return out;
}

http1::EditDefinition edit_definition(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object given = to_object(info[index], "edit");
    http1::EditDefinition out{to_headers(given.Get("set"), "set"), to_headers(given.Get("add"), "add"), {}};
    const Napi::Array removed = to_array(given.Get("remove"), "remove");
    for (uint32_t i = 0; i < removed.Length(); ++i)
        out.remove.push_back(to_text(removed.Get(i), "remove[]"));
    return out;
}

http1::ReplyDefinition reply_definition(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object given = to_object(info[index], "reply");
    return {to_uint16(given.Get("status"), "status"), to_headers(given.Get("headers"), "headers"),
            to_text(given.Get("body"), "body")};
}

StatusSet status_set(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Array list = to_array(info[index], "statuses");
    StatusSet out;
    for (uint32_t i = 0; i < list.Length(); ++i) {
        const uint32_t status = to_uint32(list.Get(i), "statuses[]");
        if (status < 200 || status > 599)
            throw Napi::RangeError::New(info.Env(), "statuses must be from 200 to 599");
        out.set(status);
    }
    return out;
}

std::vector<std::string> text_list(const Napi::CallbackInfo &info, size_t index, const char *name) {
    const Napi::Array list = to_array(info[index], name);
    std::vector<std::string> out;
    for (uint32_t i = 0; i < list.Length(); ++i)
        out.push_back(to_text(list.Get(i), name));
    return out;
}

std::vector<int> descriptor_list(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Array list = to_array(info[index], "descriptors");
    std::vector<int> out;
    for (uint32_t i = 0; i < list.Length(); ++i)
        out.push_back(static_cast<int>(to_uint32(list.Get(i), "descriptors[]")));
    return out;
}

Family family_argument(const Napi::CallbackInfo &info, size_t index) {
    const uint32_t family = to_uint32(info[index], "family");
    if (family != 4 && family != 6)
        throw Napi::RangeError::New(info.Env(), "family must be 4 or 6");
    return family == 4 ? Family::v4 : Family::v6;
}

Direction direction_argument(const Napi::CallbackInfo &info, size_t index) {
    const uint32_t direction = to_uint32(info[index], "direction");
    if (direction > 1)
        throw Napi::RangeError::New(info.Env(), "direction must be 0 (outbound) or 1 (inbound)");
    return static_cast<Direction>(direction);
}

Verdict verdict_argument(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object given = to_object(info[index], "verdict");
    Verdict out;
    uint32_t action = 0;
    uint32_t flags = 0;
    uint16_t reason = 0;
    optional(given, "action", action);
    optional(given, "flags", flags);
    optional(given, "reason", reason);
    optional(given, "endpoint", out.endpoint);
    optional(given, "tag", out.tag);
    optional(given, "requestEdit", out.request_edit);
    optional(given, "responseEdit", out.response_edit);
    optional(given, "reply", out.reply);
    optional(given, "retryStatuses", out.retry_statuses);
    optional(given, "deadlineMs", out.deadline_ms);
    optional(given, "backendTimeoutMs", out.backend_timeout_ms);
    optional(given, "bufferBytes", out.buffer_bytes);
    if (action > static_cast<uint32_t>(Action::sniff) || flags > UINT8_MAX)
        throw Napi::RangeError::New(info.Env(), "action and flags must be those of native/engine.ts");
    out.action = static_cast<Action>(action);
    out.flags = static_cast<uint8_t>(flags);
    out.reason = static_cast<Reason>(reason);
    return out;
}

ConnectionMatch match_argument(const Napi::CallbackInfo &info, size_t index) {
    const Napi::Object given = to_object(info[index], "match");
    ConnectionMatch out;
    if (!given.Get("workload").IsUndefined())
        out.workload = to_uint32(given.Get("workload"), "workload");
    if (!given.Get("connectionTag").IsUndefined())
        out.tag = to_uint32(given.Get("connectionTag"), "connectionTag");
    return out;
}

uint32_t request_tag_argument(const Napi::CallbackInfo &info, size_t index) {
    const uint32_t tag = to_uint32(to_object(info[index], "match").Get("requestTag"), "requestTag");
    if (tag == 0)
        throw Napi::RangeError::New(info.Env(), "requestTag must be a tag that a verdict gave, 1 or more");
    return tag;
}

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// weft_engine.node: the engine and the channel, for the unprivileged proxy.
#include "addon/channel.hpp"
#include "addon/engine-arguments.hpp"
#include "addon/engine-layout.hpp"
#include "addon/engine-loop.hpp"
#include "engine/http2/session.hpp"
#include "engine/tls/check-openssl.hpp"
#include <cstring>
#include <dlfcn.h>

namespace weft {
namespace {

/// The JavaScript object of one engine; native/load-engine.ts wraps it.
class EngineObject : public Napi::ObjectWrap<EngineObject> {
public:
    static Napi::Function define(Napi::Env env);
    explicit EngineObject(const Napi::CallbackInfo &info);

private:
    Engine &engine(const Napi::CallbackInfo &info) {
        if (loop_ == nullptr)
            throw Napi::Error::New(info.Env(), "the engine is closed");
        return loop_->engine();
    }

    Napi::Value memory(const Napi::CallbackInfo &) { return memory_.Value(); }
    Napi::Value layout(const Napi::CallbackInfo &info) {
        return describe_batch(info.Env(), engine(info).batch());
    }

    void set_wanted_headers(const Napi::CallbackInfo &info);
    void add_workload(const Napi::CallbackInfo &info);
    void set_workload(const Napi::CallbackInfo &info);
    void retire_workload(const Napi::CallbackInfo &info);
    void remove_workload(const Napi::CallbackInfo &info);
    void add_listener(const Napi::CallbackInfo &info);
    void add_sockets(const Napi::CallbackInfo &info);
    void set_identity(const Napi::CallbackInfo &info);
    void remove_identity(const Napi::CallbackInfo &info);
    void forget_tickets(const Napi::CallbackInfo &info);
    void set_endpoint(const Napi::CallbackInfo &info);
    void remove_endpoint(const Napi::CallbackInfo &info);
    Napi::Value define_edit(const Napi::CallbackInfo &info);
    Napi::Value define_reply(const Napi::CallbackInfo &info);
    Napi::Value define_status_set(const Napi::CallbackInfo &info);
    void release(const Napi::CallbackInfo &info);
    Napi::Value resume(const Napi::CallbackInfo &info);
    Napi::Value close_connections(const Napi::CallbackInfo &info);
    Napi::Value drain_connections(const Napi::CallbackInfo &info);
    Napi::Value end_requests(const Napi::CallbackInfo &info);
    Napi::Value connections(const Napi::CallbackInfo &info);
    Napi::Value stats(const Napi::CallbackInfo &info);
    void drain(const Napi::CallbackInfo &info);
    void close(const Napi::CallbackInfo &info);

    EngineLoop *loop_ = nullptr; // deletes itself; null once it is closing
    Napi::Reference<Napi::ArrayBuffer> memory_;
};

Napi::FunctionReference function_option(const Napi::Object &options, const char *name) {
    const Napi::Value value = options.Get(name);
    if (!value.IsFunction())
        throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a function");
    return Napi::Persistent(value.As<Napi::Function>());
}

EngineObject::EngineObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<EngineObject>(info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsObject())
        throw Napi::TypeError::New(env, "options must be an object");
    const auto options = info[0].As<Napi::Object>();
    loop_ = EngineLoop::open(env, loop_options(options),
                             {function_option(options, "decide"), function_option(options, "onDecideError"),
                              function_option(options, "onStockLow")},
                             [this] { Unref(); });
    Ref(); // it serves until it is closed, whoever still knows it
    // Whoever looks at the columns keeps their memory, engine or not.
    auto *shared = new std::shared_ptr<uint8_t[]>(loop_->engine().batch().memory());
    memory_ = Napi::Persistent(Napi::ArrayBuffer::New(
        env, shared->get(), loop_->engine().batch().bytes(),
        [](Napi::BasicEnv, void *, std::shared_ptr<uint8_t[]> *held) { delete held; }, shared));
}

void EngineObject::set_wanted_headers(const Napi::CallbackInfo &info) {
    const std::vector<std::string> names = text_list(info, 0, "names");
    if (names.size() > max_wanted_headers)
        throw Napi::RangeError::New(info.Env(), "at most 32 headers can be wanted");
    engine(info).set_wanted_headers(names);
}

[[noreturn]] void unknown(const Napi::CallbackInfo &info, const char *what) {
    throw Napi::RangeError::New(info.Env(), std::string(what) + " is not known to this engine");
}

void EngineObject::add_workload(const Napi::CallbackInfo &info) {
    if (!engine(info).add_workload(uint32_argument(info, 0, "handle"), workload_options(info, 1)))
        throw Napi::RangeError::New(info.Env(), "workload handle is in use");
}

void EngineObject::set_workload(const Napi::CallbackInfo &info) {
    if (!engine(info).set_workload(uint32_argument(info, 0, "handle"), workload_options(info, 1)))
        unknown(info, "workload");
}

void EngineObject::retire_workload(const Napi::CallbackInfo &info) {
    if (!engine(info).retire_workload(uint32_argument(info, 0, "handle"), uint32_argument(info, 1, "endMs")))
        unknown(info, "workload");
}

void EngineObject::remove_workload(const Napi::CallbackInfo &info) {
    if (!engine(info).remove_workload(uint32_argument(info, 0, "handle"),
                                      uint32_argument(info, 1, "graceMs")))
        unknown(info, "workload");
}

void EngineObject::add_listener(const Napi::CallbackInfo &info) {
    const int error =
        engine(info).add_listener(uint32_argument(info, 0, "workload"), direction_argument(info, 1),
                                  static_cast<int>(uint32_argument(info, 2, "descriptor")));
    if (error != 0)
        throw Napi::Error::New(info.Env(),
                               std::string("cannot listen on descriptor: ") + std::strerror(error));
}

void EngineObject::add_sockets(const Napi::CallbackInfo &info) {
    if (!engine(info).add_sockets(uint32_argument(info, 0, "workload"), family_argument(info, 1),
                                  descriptor_list(info, 2)))
        unknown(info, "workload");
}

void EngineObject::set_identity(const Napi::CallbackInfo &info) {
    const uint32_t workload = uint32_argument(info, 0, "workload");
    Engine &self = engine(info);
    SecretText secret = identity_argument(info, 1);
    tls::IdentityProblem problem;
    if (!self.set_identity(workload, secret.text, problem))
        unknown(info, "workload");
    if (problem.fault != tls::IdentityFault::none)
        throw Napi::RangeError::New(info.Env(), "identity " + secret.text.spiffe_id + ": " + problem.message);
}

void EngineObject::remove_identity(const Napi::CallbackInfo &info) {
    if (!engine(info).remove_identity(uint32_argument(info, 0, "workload"),
                                      static_cast<Reason>(uint32_argument(info, 1, "reason")),
                                      uint32_argument(info, 2, "graceMs")))
        unknown(info, "workload");
}

void EngineObject::forget_tickets(const Napi::CallbackInfo &info) {
    engine(info).forget_tickets();
}

void EngineObject::set_endpoint(const Napi::CallbackInfo &info) {
    const uint32_t id = uint32_argument(info, 0, "id");
    if (id == original_destination || id > 16'000'000)
        throw Napi::RangeError::New(info.Env(), "endpoint ids are dense, from 1");
    engine(info).set_endpoint(id, endpoint_argument(info, 1));
}

void EngineObject::remove_endpoint(const Napi::CallbackInfo &info) {
    if (!engine(info).remove_endpoint(uint32_argument(info, 0, "id")))
        unknown(info, "endpoint");
}

/// Compiles a definition and gives it an id; a problem names the field.
template <class Compiled, class Definition>
Napi::Value define_in(const Napi::CallbackInfo &info, DefinitionTable<Compiled> &table,
                      const Definition &definition) {
    Compiled compiled;
    if (const auto problem = Compiled::compile(definition, compiled))
        throw Napi::RangeError::New(info.Env(),
                                    problem->field + " (" + problem->value + "): " + problem->message);
    const auto id = table.define(std::move(compiled));
    if (!id)
        throw Napi::RangeError::New(info.Env(), "65535 definitions are in use");
    return Napi::Number::New(info.Env(), *id);
}

Napi::Value EngineObject::define_edit(const Napi::CallbackInfo &info) {
    return define_in(info, engine(info).edits(), edit_definition(info, 0));
}

Napi::Value EngineObject::define_reply(const Napi::CallbackInfo &info) {
    return define_in(info, engine(info).replies(), reply_definition(info, 0));
}

Napi::Value EngineObject::define_status_set(const Napi::CallbackInfo &info) {
    const auto id = engine(info).status_sets().define(status_set(info, 0));
    if (!id)
        throw Napi::RangeError::New(info.Env(), "65535 definitions are in use");
    return Napi::Number::New(info.Env(), *id);
}

void EngineObject::release(const Napi::CallbackInfo &info) {
    const std::string kind = info[0].ToString().Utf8Value();
    const uint32_t id = uint32_argument(info, 1, "id");
    if (id > UINT16_MAX)
        unknown(info, "id");
    const auto number = static_cast<uint16_t>(id);
    Engine &self = engine(info);
    const bool released = kind == "edit"         ? self.edits().release(number)
                          : kind == "reply"      ? self.replies().release(number)
                          : kind == "status-set" ? self.status_sets().release(number)
                                                 : false;
    if (!released)
        unknown(info, "definition");
}

Napi::Value EngineObject::resume(const Napi::CallbackInfo &info) {
    return Napi::Boolean::New(info.Env(), engine(info).resume(uint32_argument(info, 0, "id"),
                                                              uint32_argument(info, 1, "generation"),
                                                              verdict_argument(info, 2)));
}

Napi::Value EngineObject::close_connections(const Napi::CallbackInfo &info) {
    const uint32_t reason = uint32_argument(info, 0, "reason");
    const size_t closed =
        engine(info).close_connections(static_cast<Reason>(reason), match_argument(info, 1));
    return Napi::Number::New(info.Env(), static_cast<double>(closed));
}

Napi::Value EngineObject::drain_connections(const Napi::CallbackInfo &info) {
    const uint32_t reason = uint32_argument(info, 0, "reason");
    const size_t drained = engine(info).drain_connections(
        static_cast<Reason>(reason), match_argument(info, 1), uint32_argument(info, 2, "graceMs"));
    return Napi::Number::New(info.Env(), static_cast<double>(drained));
}

Napi::Value EngineObject::end_requests(const Napi::CallbackInfo &info) {
    const uint32_t reason = uint32_argument(info, 0, "reason");
    const size_t ended =
        engine(info).end_requests(static_cast<Reason>(reason), request_tag_argument(info, 1));
    return Napi::Number::New(info.Env(), static_cast<double>(ended));
}

Napi::Value EngineObject::connections(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    const Napi::Array list = Napi::Array::New(env);
    engine(info).visit_connections([&](const ConnectionInfo &connection) {
        const Napi::Object item = Napi::Object::New(env);
        const auto number = [&](const char *name, auto value) {
            item.Set(name, Napi::Number::New(env, static_cast<double>(value)));
        };
        number("workload", connection.workload);
        number("direction", static_cast<int>(connection.direction));
        number("connectionTag", connection.tag);
        item.Set("state", connection.state);
        item.Set("protocol", connection.protocol);
        item.Set("transport", connection.tls ? "tls" : "plaintext");
        item.Set("peer", connection.peer);
        item.Set("source", connection.source.text());
        item.Set("destination", connection.destination.text());
        number("ageMs", connection.age_us / 1000);
        number("bytesReceived", connection.received);
        number("bytesSent", connection.sent);
        number("bufferedBytes", connection.buffered);
        list.Set(list.Length(), item);
    });
    return list;
}

Napi::Value EngineObject::stats(const Napi::CallbackInfo &info) {
    const EngineStats stats = engine(info).stats();
    const Napi::Object out = Napi::Object::New(info.Env());
    const auto number = [&](const char *name, auto value) {
        out.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value)));
    };
    number("connections", stats.connections);
    number("exchanges", stats.exchanges);
    number("pooled", stats.pooled);
    number("parked", stats.parked);
    number("bufferedBytes", stats.buffered_bytes);
    number("sockets", stats.sockets);
    number("turns", stats.turns);
    number("rows", stats.rows);
    number("clientHandshakes", stats.client_handshakes);
    number("serverHandshakes", stats.server_handshakes);
    number("failedHandshakes", stats.failed_handshakes);
    number("resumedAsClient", stats.resumed_as_client);
    number("resumedAsServer", stats.resumed_as_server);
    number("outdatedTickets", stats.outdated_tickets);
    number("misplacedTickets", stats.misplaced_tickets);
    number("tlsSessions", stats.tls_sessions);
    number("tlsBytes", stats.tls_bytes);
    number("tickets", stats.tickets);
    number("streams", stats.streams);
    return out;
}

void EngineObject::drain(const Napi::CallbackInfo &info) {
    if (!info[0].IsFunction())
        throw Napi::TypeError::New(info.Env(), "onDrained must be a function");
    if (info[1].ToBoolean())
        engine(info).hand_on();
    else
        engine(info).drain();
    loop_->on_drained(Napi::Persistent(info[0].As<Napi::Function>()));
}

void EngineObject::close(const Napi::CallbackInfo &) {
    if (loop_ != nullptr)
        loop_->close();
    loop_ = nullptr;
}

Napi::Function EngineObject::define(Napi::Env env) {
    return DefineClass(env, "NativeEngine",
                       {InstanceAccessor<&EngineObject::memory>("memory"),
                        InstanceAccessor<&EngineObject::layout>("layout"),
                        InstanceMethod<&EngineObject::set_wanted_headers>("setWantedHeaders"),
                        InstanceMethod<&EngineObject::add_workload>("addWorkload"),
                        InstanceMethod<&EngineObject::set_workload>("setWorkload"),
                        InstanceMethod<&EngineObject::retire_workload>("retireWorkload"),
                        InstanceMethod<&EngineObject::remove_workload>("removeWorkload"),
                        InstanceMethod<&EngineObject::add_listener>("addListener"),
                        InstanceMethod<&EngineObject::add_sockets>("addSockets"),
                        InstanceMethod<&EngineObject::set_identity>("setIdentity"),
                        InstanceMethod<&EngineObject::remove_identity>("removeIdentity"),
                        InstanceMethod<&EngineObject::forget_tickets>("forgetTickets"),
                        InstanceMethod<&EngineObject::drain_connections>("drainConnections"),
                        InstanceMethod<&EngineObject::end_requests>("endRequests"),
                        InstanceMethod<&EngineObject::set_endpoint>("setEndpoint"),
                        InstanceMethod<&EngineObject::remove_endpoint>("removeEndpoint"),
                        InstanceMethod<&EngineObject::define_edit>("defineEdit"),
                        InstanceMethod<&EngineObject::define_reply>("defineReply"),
                        InstanceMethod<&EngineObject::define_status_set>("defineStatusSet"),
                        InstanceMethod<&EngineObject::release>("release"),
                        InstanceMethod<&EngineObject::resume>("resume"),
                        InstanceMethod<&EngineObject::close_connections>("closeConnections"),
                        InstanceMethod<&EngineObject::connections>("connections"),
                        InstanceMethod<&EngineObject::stats>("stats"),
                        InstanceMethod<&EngineObject::drain>("drain"),
                        InstanceMethod<&EngineObject::close>("close")});
}

} // namespace
} // namespace weft

namespace {

/// Files that nghttp2's functions and Node's own come from; native/load-engine.ts wants them to be one.
Napi::Object describe_http2_library(Napi::Env env) {
    Dl_info node{};
    const bool known = ::dladdr(reinterpret_cast<const void *>(&napi_create_object), &node) != 0;
    const Napi::Object files = Napi::Object::New(env);
    files.Set("nghttp2", weft::http2::library_file());
    files.Set("node", known && node.dli_fname != nullptr ? node.dli_fname : "");
    return files;
}

/// (version that node names) → what is wrong with the OpenSSL that runs, or ''.
Napi::Value find_openssl_problem(const Napi::CallbackInfo &info) {
    const std::string expected = info[0].ToString().Utf8Value();
    return Napi::String::New(info.Env(), weft::tls::check_openssl(expected).problem);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    weft::registerChannel(env, exports);
    exports.Set("http2Library", describe_http2_library(env));
    exports.Set("findOpensslProblem", Napi::Function::New<find_openssl_problem>(env));
    exports.Set("words", weft::describe_words(env));
    exports.Set("NativeEngine", weft::EngineObject::define(env));
    return exports;
}

} // namespace

NODE_API_MODULE(weft_engine, initialize)

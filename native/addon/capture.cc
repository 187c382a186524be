// SPDX-License-Identifier: Apache-2.0
//
// weft_capture.node: the loader and the channel, for the privileged process alone (native/kernel.ts).
#include "addon/channel.hpp"
#include "loader/kernel-error.hpp"
#include "loader/kernel-programs.hpp"
#include "loader/namespace.hpp"
#include "loader/process.hpp"
#include "loader/self-test.hpp"

#include <functional>
#include <memory>
#include <netinet/in.h>

namespace {

using weft::KernelError;
using weft::KernelPrograms;

// Runs a library call; its error becomes a JavaScript Error with `code` where the kernel named one.
template <typename Work> auto convertErrors(Napi::Env env, Work work) {
    try {
        return work();
    } catch (const KernelError &error) {
        Napi::Error thrown = Napi::Error::New(env, error.what());
        if (error.error() != 0)
            thrown.Set("code", Napi::String::New(env, strerrorname_np(error.error())));
        throw thrown;
    } catch (const Napi::Error &) {
        throw;
    } catch (const std::exception &error) {
        throw Napi::Error::New(env, error.what());
    }
}

std::string readString(const Napi::Value &value, const char *what) {
    if (!value.IsString())
        throw Napi::TypeError::New(value.Env(), std::string(what) + " is not a string");
    return value.As<Napi::String>();
}

int readInteger(const Napi::Value &value, const char *what) {
    if (!value.IsNumber())
        throw Napi::TypeError::New(value.Env(), std::string(what) + " is not a number");
    return value.As<Napi::Number>().Int32Value();
}

std::vector<std::string> readStrings(const Napi::Value &value, const char *what) {
    if (!value.IsArray())
        throw Napi::TypeError::New(value.Env(), std::string(what) + " is not an array");
    std::vector<std::string> strings;
    const auto array = value.As<Napi::Array>();
    for (uint32_t at = 0; at < array.Length(); ++at)
        strings.push_back(readString(array[at], what));
    return strings;
}

std::span<const uint8_t> readBytes(const Napi::Value &value, const char *what) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
        throw Napi::TypeError::New(value.Env(), std::string(what) + " is not a Uint8Array");
    const auto bytes = value.As<Napi::Uint8Array>();
    return {bytes.Data(), bytes.ByteLength()};
}

Napi::Value makeBuffer(Napi::Env env, const weft::Bytes &bytes) {
    return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
}

Napi::String makeOutcome(Napi::Env env, weft::LinkOutcome outcome) {
    switch (outcome) {
    case weft::LinkOutcome::created:
        return Napi::String::New(env, "created");
    case weft::LinkOutcome::kept:
        return Napi::String::New(env, "kept");
    case weft::LinkOutcome::replaced:
        return Napi::String::New(env, "replaced");
    }
    throw Napi::Error::New(env, "unknown outcome");
}

// A method of the loaded programs, which throws once they are closed.
using Programs = std::shared_ptr<std::unique_ptr<KernelPrograms>>;
using Method = std::function<Napi::Value(KernelPrograms &, const Napi::CallbackInfo &)>;

void addMethod(Napi::Object object, const Programs &programs, const char *name, Method method) {
    const auto call = [programs, method](const Napi::CallbackInfo &info) {
        if (*programs == nullptr)
            throw Napi::Error::New(info.Env(), "the kernel programs are closed");
        return convertErrors(info.Env(), [&] { return method(**programs, info); });
    };
    object.Set(name, Napi::Function::New(object.Env(), call, name));
}

void addMapMethods(Napi::Object object, const Programs &programs) {
    addMethod(object, programs, "lookup", [](KernelPrograms &kernel, const Napi::CallbackInfo &info) {
        const auto value = kernel.lookup(readString(info[0], "map"), readBytes(info[1], "key"));
        return value ? makeBuffer(info.Env(), *value) : info.Env().Null();
    });
    addMethod(object, programs, "update", [](KernelPrograms &kernel, const Napi::CallbackInfo &info) {
        kernel.update(readString(info[0], "map"), readBytes(info[1], "key"), readBytes(info[2], "value"));
        return info.Env().Undefined();
    });
    addMethod(object, programs, "remove",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) -> Napi::Value {
                  return Napi::Boolean::New(
                      info.Env(), kernel.remove(readString(info[0], "map"), readBytes(info[1], "key")));
              });
    addMethod(object, programs, "keys",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) -> Napi::Value {
                  const auto keys = kernel.keys(readString(info[0], "map"));
                  Napi::Array array = Napi::Array::New(info.Env(), keys.size());
                  for (uint32_t at = 0; at < keys.size(); ++at)
                      array.Set(at, makeBuffer(info.Env(), keys[at]));
                  return array;
              });
    addMethod(object, programs, "sumCounters",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) -> Napi::Value {
                  const auto sums = kernel.sumCounters(readString(info[0], "map"));
                  Napi::Array array = Napi::Array::New(info.Env(), sums.size());
                  for (uint32_t at = 0; at < sums.size(); ++at)
                      array.Set(at, Napi::Number::New(info.Env(), static_cast<double>(sums[at])));
                  return array;
              });
}

void addNamespaceMethods(Napi::Object object, const Programs &programs) {
    addMethod(object, programs, "attachNamespace",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) -> Napi::Value {
                  return makeOutcome(info.Env(), kernel.attachNamespace(readInteger(info[0], "netns"),
                                                                        readString(info[1], "name")));
              });
    addMethod(object, programs, "detachNamespace",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) {
                  kernel.detachNamespace(readString(info[0], "name"));
                  return info.Env().Undefined();
              });
    addMethod(object, programs, "namespaces",
              [](KernelPrograms &kernel, const Napi::CallbackInfo &info) -> Napi::Value {
                  Napi::Object names = Napi::Object::New(info.Env());
                  for (const auto &[name, alive] : kernel.listNamespaces())
                      names.Set(name, Napi::Boolean::New(info.Env(), alive));
                  return names;
              });
    addMethod(object, programs, "selfTest", [](KernelPrograms &kernel, const Napi::CallbackInfo &info) {
        weft::runSelfTest(kernel);
        return info.Env().Undefined();
    });
}

Napi::Object makeProgramsObject(Napi::Env env, std::unique_ptr<KernelPrograms> loaded) {
    const auto programs = std::make_shared<std::unique_ptr<KernelPrograms>>(std::move(loaded));
    Napi::Object maps = Napi::Object::New(env);
    for (const auto &[name, fd] : (*programs)->maps())
        maps.Set(name, Napi::Number::New(env, fd));
    Napi::Object links = Napi::Object::New(env);
    for (const auto &[name, outcome] : (*programs)->links())
        links.Set(name, makeOutcome(env, outcome));
    Napi::Object object = Napi::Object::New(env);
    object.Set("maps", maps);
    object.Set("links", links);
    addMapMethods(object, programs);
    addNamespaceMethods(object, programs);
    addMethod(object, programs, "keep", [](KernelPrograms &kernel, const Napi::CallbackInfo &info) {
        kernel.keep();
        return info.Env().Undefined();
    });
    addMethod(object, programs, "close", [programs](KernelPrograms &, const Napi::CallbackInfo &info) {
        programs->reset();
        return info.Env().Undefined();
    });
    return object;
}

Napi::Value loadKernel(const Napi::CallbackInfo &info) {
    if (!info[0].IsObject())
        throw Napi::TypeError::New(info.Env(), "options is not an object");
    const auto given = info[0].As<Napi::Object>();
    const Napi::Value kubelet = given.Get("kubeletCgroup");
    const weft::LoadOptions options = {readString(given.Get("object"), "object"),
                                       readString(given.Get("pinFolder"), "pinFolder"),
                                       readStrings(given.Get("cgroups"), "cgroups"),
                                       kubelet.IsUndefined() ? "" : readString(kubelet, "kubeletCgroup")};
    return convertErrors(info.Env(),
                         [&] { return makeProgramsObject(info.Env(), KernelPrograms::load(options)); });
}

Napi::Value openNamespace(const Napi::CallbackInfo &info) {
    const auto folders = readStrings(info[0], "folders");
    const auto name = readString(info[1], "name");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        return Napi::Number::New(info.Env(), weft::openNamespace(folders, name).release());
    });
}

Napi::Value readNamespaceCookie(const Napi::CallbackInfo &info) {
    const int netns = readInteger(info[0], "netns");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        return Napi::BigInt::New(info.Env(), weft::readNamespaceCookie(netns));
    });
}

Napi::Object makeListenerObject(Napi::Env env, weft::Listener &listener) {
    using weft::ListenerKind;
    const bool outbound =
        listener.kind == ListenerKind::outbound4 || listener.kind == ListenerKind::outbound6;
    const bool ipv4 = listener.kind == ListenerKind::outbound4 || listener.kind == ListenerKind::inbound4;
    Napi::Object object = Napi::Object::New(env);
    object.Set("descriptor", Napi::Number::New(env, listener.fd.release()));
    object.Set("direction", Napi::String::New(env, outbound ? "outbound" : "inbound"));
    object.Set("family", Napi::Number::New(env, ipv4 ? 4 : 6));
    object.Set("port", Napi::Number::New(env, listener.port));
    return object;
}

Napi::Value makeListeners(const Napi::CallbackInfo &info) {
    const int netns = readInteger(info[0], "netns");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        auto listeners = weft::makeListeners(netns);
        Napi::Array array = Napi::Array::New(info.Env(), listeners.size());
        for (uint32_t at = 0; at < listeners.size(); ++at)
            array.Set(at, makeListenerObject(info.Env(), listeners[at]));
        return array;
    });
}

Napi::Value makeSockets(const Napi::CallbackInfo &info) {
    const int netns = readInteger(info[0], "netns");
    const int family = readInteger(info[1], "family") == 6 ? AF_INET6 : AF_INET;
    const int count = readInteger(info[2], "count");
    const int notes = readInteger(info[3], "notes");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        auto sockets = weft::makeSockets(netns, family, static_cast<size_t>(count), notes);
        Napi::Array array = Napi::Array::New(info.Env(), sockets.size());
        for (uint32_t at = 0; at < sockets.size(); ++at)
            array.Set(at, Napi::Number::New(info.Env(), sockets[at].release()));
        return array;
    });
}

Napi::Value openProcess(const Napi::CallbackInfo &info) {
    const int pid = readInteger(info[0], "pid");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        return Napi::Number::New(info.Env(), weft::openProcess(pid).release());
    });
}

Napi::Value hasEnded(const Napi::CallbackInfo &info) {
    return Napi::Boolean::New(info.Env(), weft::hasEnded(readInteger(info[0], "process")));
}

Napi::Array makeIds(Napi::Env env, const std::vector<uint32_t> &ids) {
    Napi::Array array = Napi::Array::New(env, ids.size());
    for (uint32_t at = 0; at < ids.size(); ++at)
        array.Set(at, Napi::Number::New(env, ids[at]));
    return array;
}

Napi::Value removePins(const Napi::CallbackInfo &info) {
    const std::string folder = readString(info[0], "pinFolder");
    return convertErrors(info.Env(), [&]() -> Napi::Value {
        const weft::Removed removed = weft::removePins(folder);
        Napi::Array pins = Napi::Array::New(info.Env(), removed.pins.size());
        for (uint32_t at = 0; at < removed.pins.size(); ++at)
            pins.Set(at, Napi::String::New(info.Env(), removed.pins[at]));
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("pins", pins);
        object.Set("links", makeIds(info.Env(), removed.links));
        return object;
    });
}

Napi::Value findLinks(const Napi::CallbackInfo &info) {
    if (!info[0].IsArray())
        throw Napi::TypeError::New(info.Env(), "links is not an array");
    std::vector<uint32_t> ids;
    const auto given = info[0].As<Napi::Array>();
    for (uint32_t at = 0; at < given.Length(); ++at)
        ids.push_back(static_cast<uint32_t>(readInteger(given[at], "a link")));
    return makeIds(info.Env(), weft::findLinks(ids));
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    weft::registerChannel(env, exports);
    const auto add = [&](const char *name, Napi::Value (*function)(const Napi::CallbackInfo &)) {
        exports.Set(name, Napi::Function::New(env, function, name));
    };
    add("loadKernel", loadKernel);
    add("openNamespace", openNamespace);
    add("readNamespaceCookie", readNamespaceCookie);
    add("makeListeners", makeListeners);
    add("makeSockets", makeSockets);
    add("openProcess", openProcess);
    add("hasEnded", hasEnded);
    add("removePins", removePins);
    add("findLinks", findLinks);
    return exports;
}

} // namespace

NODE_API_MODULE(weft_capture, initialize)

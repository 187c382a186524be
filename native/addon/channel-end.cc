// SPDX-License-Identifier: Apache-2.0
#include "addon/channel-end.hpp"

#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace weft {

namespace {

constexpr size_t max_queued_packets = 1024;
// Packets taken per turn of the loop, so that one busy peer leaves room for timers and other channels.
constexpr int packets_per_turn = 64;

// Calls a handler from the loop. What it throws becomes the environment's uncaught exception, as in node's
// own events.
void callHandler(Napi::Env env, const Napi::FunctionReference &handler,
                 const std::vector<napi_value> &arguments) {
    try {
        const Napi::AsyncContext context(env, "weft:channel");
        handler.MakeCallback(env.Global(), arguments, context);
    } catch (const Napi::Error &error) {
        napi_fatal_exception(env, error.Value());
    }
}

std::vector<int> readDescriptors(const Napi::Value &value) {
    std::vector<int> descriptors;
    if (value.IsUndefined())
        return descriptors;
    if (!value.IsArray())
        throw Napi::TypeError::New(value.Env(), "descriptors is not an array");
    const auto array = value.As<Napi::Array>();
    for (uint32_t at = 0; at < array.Length(); ++at) {
        const Napi::Value item = array[at];
        if (!item.IsNumber() || item.As<Napi::Number>().Int32Value() < 0)
            throw Napi::TypeError::New(value.Env(), "a descriptor is not a number of at least 0");
        descriptors.push_back(item.As<Napi::Number>().Int32Value());
    }
    return descriptors;
}

} // namespace

Napi::Error makeChannelError(Napi::Env env, int error, const std::string &what) {
    Napi::Error thrown = Napi::Error::New(env, what + ": " + uv_strerror(error));
    thrown.Set("code", Napi::String::New(env, uv_err_name(error)));
    return thrown;
}

int ChannelEnd::open(Descriptor fd) {
    int error = 0;
    auto self = shared_from_this();
    poll_ = PollHandle::open(
        env_, std::move(fd), [self](int status, int events) { self->onEvents(status, events); },
        [self](bool ending) { self->onClosed(ending); }, error);
    return error;
}

void ChannelEnd::start(const Napi::Value &handlers) {
    if (handlers.IsObject()) {
        const Napi::Value on_message = handlers.As<Napi::Object>().Get("onMessage");
        const Napi::Value on_close = handlers.As<Napi::Object>().Get("onClose");
        if (on_message.IsFunction() && on_close.IsFunction()) {
            on_message_ = Napi::Persistent(on_message.As<Napi::Function>());
            on_close_ = Napi::Persistent(on_close.As<Napi::Function>());
            if (poll_ != nullptr)
                poll_->watch(UV_READABLE | (queue_.empty() ? 0 : UV_WRITABLE));
            return;
        }
    }
    close();
    throw Napi::TypeError::New(env_, "handlers is not {onMessage, onClose}");
}

void ChannelEnd::send(std::span<const uint8_t> bytes, std::span<const int> descriptors) {
    if (poll_ == nullptr)
        throw makeChannelError(env_, UV_EPIPE, "channel is closed");
    if (bytes.empty() || bytes.size() > max_packet_bytes || descriptors.size() > max_packet_descriptors)
        throw Napi::RangeError::New(env_, "a packet has 1 to 131072 bytes and at most 253 descriptors");
    if (queue_.empty()) {
        const int error = sendPacket(poll_->fd(), bytes, descriptors);
        if (error == 0)
            return;
        if (error != -EAGAIN)
            throw makeChannelError(env_, error, "channel cannot send");
    }
    if (queue_.size() >= max_queued_packets)
        throw makeChannelError(env_, UV_ENOBUFS, "channel's peer does not read: 1024 packets wait");
    Queued packet;
    packet.bytes.assign(bytes.begin(), bytes.end());
    for (const int fd : descriptors) {
        packet.descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!packet.descriptors.back())
            throw makeChannelError(env_, -errno, "channel cannot keep a descriptor");
    }
    queue_.push_back(std::move(packet));
    poll_->watch(UV_READABLE | UV_WRITABLE);
}

void ChannelEnd::onEvents(int status, int events) {
    const Napi::HandleScope scope(env_);
    if (status < 0) {
        finish(status);
        return;
    }
    if ((events & UV_WRITABLE) != 0)
        writeQueued();
    if ((events & UV_READABLE) != 0)
        readPackets();
}

void ChannelEnd::writeQueued() {
    while (poll_ != nullptr && !queue_.empty()) {
        const Queued &packet = queue_.front();
        std::vector<int> descriptors;
        for (const Descriptor &descriptor : packet.descriptors)
            descriptors.push_back(descriptor.get());
        const int error = sendPacket(poll_->fd(), packet.bytes, descriptors);
        if (error == -EAGAIN)
            return;
        if (error != 0) {
            finish(error);
            return;
        }
        queue_.pop_front();
    }
    if (poll_ != nullptr)
        poll_->watch(UV_READABLE);
}

void ChannelEnd::readPackets() {
    Packet packet;
    for (int taken = 0; taken < packets_per_turn && poll_ != nullptr; ++taken) {
        const int got = receivePacket(poll_->fd(), packet);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            // A peer that was killed with packets unread ends in a reset: for a channel that is an end like
            // any other.
            finish(got == -ECONNRESET ? 0 : got);
            return;
        }
        deliver(packet);
    }
}

void ChannelEnd::deliver(Packet &packet) {
    const Napi::HandleScope scope(env_);
    Napi::Array descriptors = Napi::Array::New(env_, packet.descriptors.size());
    for (size_t at = 0; at < packet.descriptors.size(); ++at)
        descriptors.Set(static_cast<uint32_t>(at), Napi::Number::New(env_, packet.descriptors[at].release()));
    const auto bytes = Napi::Buffer<uint8_t>::Copy(env_, packet.bytes.data(), packet.bytes.size());
    callHandler(env_, on_message_, {bytes, descriptors});
}

void ChannelEnd::finish(int error) {
    if (poll_ == nullptr)
        return;
    end_error_ = error;
    queue_.clear();
    std::exchange(poll_, nullptr)->close();
}

void ChannelEnd::onClosed(bool ending) {
    poll_ = nullptr;
    const Napi::HandleScope scope(env_);
    if (!ending && !on_close_.IsEmpty()) {
        const napi_value error =
            end_error_ == 0 ? env_.Undefined() : makeChannelError(env_, end_error_, "channel broke").Value();
        callHandler(env_, on_close_, {error});
    }
    on_message_.Reset();
    on_close_.Reset();
}

Napi::Object ChannelEnd::makeObject() {
    auto self = shared_from_this();
    Napi::Object peer = Napi::Object::New(env_);
    peer.Set("pid", Napi::Number::New(env_, peer_.pid));
    peer.Set("uid", Napi::Number::New(env_, peer_.uid));
    peer.Set("gid", Napi::Number::New(env_, peer_.gid));
    Napi::Object object = Napi::Object::New(env_);
    object.Set("peer", peer);
    object.Set("send", Napi::Function::New(
                           env_,
                           [self](const Napi::CallbackInfo &info) {
                               if (!info[0].IsTypedArray() ||
                                   info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
                                   throw Napi::TypeError::New(info.Env(), "message is not a Uint8Array");
                               const auto bytes = info[0].As<Napi::Uint8Array>();
                               self->send({bytes.Data(), bytes.ByteLength()}, readDescriptors(info[1]));
                           },
                           "send"));
    object.Set("close",
               Napi::Function::New(env_, [self](const Napi::CallbackInfo &) { self->close(); }, "close"));
    return object;
}

std::shared_ptr<ChannelEnd> openChannelEnd(Napi::Env env, Descriptor fd, const std::string &what) {
    PeerCredentials peer;
    int error = readPeer(fd.get(), peer);
    auto end = std::make_shared<ChannelEnd>(env, peer);
    if (error == 0)
        error = end->open(std::move(fd));
    if (error != 0)
        throw makeChannelError(env, error, what);
    return end;
}

} // namespace weft

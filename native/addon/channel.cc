// SPDX-License-Identifier: Apache-2.0
#include "addon/channel.hpp"

#include "addon/channel-end.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace weft {

namespace {

Napi::Value connectChannel(const Napi::CallbackInfo &info) {
    if (!info[0].IsString())
        throw Napi::TypeError::New(info.Env(), "path is not a string");
    const std::string path = info[0].As<Napi::String>();
    const int fd = connectPackets(path);
    if (fd < 0)
        throw makeChannelError(info.Env(), fd, "cannot connect to " + path);
    const auto end = openChannelEnd(info.Env(), Descriptor(fd), "cannot watch the channel to " + path);
    end->start(info[1]);
    return end->makeObject();
}

// A listening socket and its file.
class ChannelListener : public std::enable_shared_from_this<ChannelListener> {
public:
    ChannelListener(Napi::Env env, std::string path, Napi::Function on_connect)
        : env_(env), path_(std::move(path)), on_connect_(Napi::Persistent(on_connect)) {}

    int open(Descriptor fd);
    void close();

private:
    void onReadable();
    void offer(Descriptor fd);

    Napi::Env env_;
    std::string path_;
    Napi::FunctionReference on_connect_;
    PollHandle *poll_ = nullptr;
    ino_t inode_ = 0;
};

int ChannelListener::open(Descriptor fd) {
    struct stat info = {};
    inode_ = lstat(path_.c_str(), &info) == 0 ? info.st_ino : 0;
    int error = 0;
    auto self = shared_from_this();
    poll_ = PollHandle::open(
        env_, std::move(fd), [self](int, int) { self->onReadable(); },
        [self](bool) {
            const Napi::HandleScope scope(self->env_);
            self->poll_ = nullptr;
            self->on_connect_.Reset();
        },
        error);
    if (poll_ != nullptr)
        poll_->watch(UV_READABLE);
    return error;
}

void ChannelListener::close() {
    if (poll_ == nullptr)
        return;
    std::exchange(poll_, nullptr)->close();
    // A successor may have put its own socket there.
    struct stat info = {};
    if (lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_)
        unlink(path_.c_str());
}

void ChannelListener::onReadable() {
    const Napi::HandleScope scope(env_);
    while (poll_ != nullptr) {
        Descriptor fd(acceptPackets(poll_->fd()));
        if (!fd)
            return;
        offer(std::move(fd));
    }
}

void ChannelListener::offer(Descriptor fd) {
    const Napi::HandleScope scope(env_);
    std::shared_ptr<ChannelEnd> end;
    try {
        end = openChannelEnd(env_, std::move(fd), "cannot watch a channel");
        const Napi::AsyncContext context(env_, "weft:channel");
        const Napi::Value handlers = on_connect_.MakeCallback(env_.Global(), {end->makeObject()}, context);
        if (handlers.IsUndefined())
            end->close();
        else
            end->start(handlers);
    } catch (const Napi::Error &error) {
        if (end != nullptr)
            end->close();
        napi_fatal_exception(env_, error.Value());
    }
}

Napi::Value listenChannel(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsString() || !info[1].IsNumber() || !info[2].IsFunction())
        throw Napi::TypeError::New(env, "listenChannel takes a path, a uid and a function");
    const std::string path = info[0].As<Napi::String>();
    const int fd = listenPackets(path, info[1].As<Napi::Number>().Uint32Value());
    if (fd < 0)
        throw makeChannelError(env, fd, "cannot listen at " + path);
    auto listener = std::make_shared<ChannelListener>(env, path, info[2].As<Napi::Function>());
    if (const int error = listener->open(Descriptor(fd)); error != 0)
        throw makeChannelError(env, error, "cannot watch the listener at " + path);
    Napi::Object server = Napi::Object::New(env);
    server.Set("close", Napi::Function::New(
                            env, [listener](const Napi::CallbackInfo &) { listener->close(); }, "close"));
    return server;
}

} // namespace

void registerChannel(Napi::Env env, Napi::Object exports) {
    exports.Set("listenChannel", Napi::Function::New(env, listenChannel, "listenChannel"));
    exports.Set("connectChannel", Napi::Function::New(env, connectChannel, "connectChannel"));
}

} // namespace weft

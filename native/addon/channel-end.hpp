// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "addon/poll-handle.hpp"
#include "channel/packet-socket.hpp"

#include <deque>
#include <memory>
#include <napi.h>
#include <span>
#include <string>
#include <vector>

namespace weft {

// An Error with node's `code`; `error` is a negative errno.
Napi::Error makeChannelError(Napi::Env env, int error, const std::string &what);

// One connected end. The loop's handle owns it until it is closed; the JavaScript object shares it.
class ChannelEnd : public std::enable_shared_from_this<ChannelEnd> {
public:
    ChannelEnd(Napi::Env env, const PeerCredentials &peer) : env_(env), peer_(peer) {}

    int open(Descriptor fd);
    // Takes {onMessage, onClose} and begins to read; without them it closes and throws TypeError.
    void start(const Napi::Value &handlers);
    void send(std::span<const uint8_t> bytes, std::span<const int> descriptors);
    void close() { finish(0); }
    Napi::Object makeObject();

private:
    struct Queued {
        std::vector<uint8_t> bytes;
        std::vector<Descriptor> descriptors;
    };

    void onEvents(int status, int events);
    void readPackets();
    void writeQueued();
    void deliver(Packet &packet);
    void finish(int error);
    void onClosed(bool ending);

    Napi::Env env_;
    PeerCredentials peer_;
    PollHandle *poll_ = nullptr;
    std::deque<Queued> queue_;
    Napi::FunctionReference on_message_;
    Napi::FunctionReference on_close_;
    int end_error_ = 0;
};

// Watches a connected socket. Throws Napi::Error.
std::shared_ptr<ChannelEnd> openChannelEnd(Napi::Env env, Descriptor fd, const std::string &what);

} // namespace weft

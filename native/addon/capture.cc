// SPDX-License-Identifier: Apache-2.0
//
// weft_capture.node: the loader and the channel, for the privileged process alone.
#include "addon/channel.hpp"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    weft::registerChannel(env, exports);
    return exports;
}

} // namespace

NODE_API_MODULE(weft_capture, initialize)

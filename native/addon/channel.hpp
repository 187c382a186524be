// SPDX-License-Identifier: Apache-2.0
//
// The channel's N-API skin, compiled into both addons.
#pragma once

#include <napi.h>

namespace weft {

// Adds listenChannel and connectChannel (native/channel.ts, ChannelFunctions) to an addon's exports.
void registerChannel(Napi::Env env, Napi::Object exports);

} // namespace weft

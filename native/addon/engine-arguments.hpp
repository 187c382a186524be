// SPDX-License-Identifier: Apache-2.0
// JavaScript values to the engine's types. Each throws Napi::TypeError or RangeError on what does not fit.
#pragma once
#include "addon/engine-loop.hpp"
#include "engine/http1/edit.hpp"
#include <napi.h>
#include <string>
#include <vector>

namespace weft {

uint32_t uint32_argument(const Napi::CallbackInfo &info, size_t index, const char *name);
LoopOptions loop_options(const Napi::Object &options);
WorkloadOptions workload_options(const Napi::CallbackInfo &info, size_t index);
Endpoint endpoint_argument(const Napi::CallbackInfo &info, size_t index);
/// The copy of a private key is overwritten when this goes.
struct SecretText {
    SecretText() = default;
    SecretText(SecretText &&) = default;
    ~SecretText();

    tls::IdentityText text;
};

SecretText identity_argument(const Napi::CallbackInfo &info, size_t index);
http1::EditDefinition edit_definition(const Napi::CallbackInfo &info, size_t index);
http1::ReplyDefinition reply_definition(const Napi::CallbackInfo &info, size_t index);
StatusSet status_set(const Napi::CallbackInfo &info, size_t index);
std::vector<std::string> text_list(const Napi::CallbackInfo &info, size_t index, const char *name);
std::vector<int> descriptor_list(const Napi::CallbackInfo &info, size_t index);
Family family_argument(const Napi::CallbackInfo &info, size_t index);
Direction direction_argument(const Napi::CallbackInfo &info, size_t index);
Verdict verdict_argument(const Napi::CallbackInfo &info, size_t index);
uint32_t request_tag_argument(const Napi::CallbackInfo &info, size_t index);
ConnectionMatch match_argument(const Napi::CallbackInfo &info, size_t index);

} // namespace weft

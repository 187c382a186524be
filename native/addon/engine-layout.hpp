// SPDX-License-Identifier: Apache-2.0
// What native/load-engine.ts compares with native/engine.ts before it trusts this addon.
#pragma once
#include "engine/decide/batch.hpp"
#include <napi.h>

namespace weft {

/// Names and values of every enumeration of the contract.
Napi::Object describe_words(Napi::Env env);
/// Columns (name, bytes of an element, elements per row, offset, elements) and ranges of a batch's memory.
Napi::Object describe_batch(Napi::Env env, const Batch &batch);

} // namespace weft

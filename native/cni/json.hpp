// SPDX-License-Identifier: Apache-2.0
//
// JSON read strictly: bounded in size and depth, no exception, and a missing or wrong field is a null.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace weft::cni {

using Json = nlohmann::json;

// Nothing where the text is no JSON, or deeper than this program follows.
std::optional<Json> parseJson(std::string_view text);

// The object's field; null where there is none, or where the value is no object.
const Json &fieldOf(const Json &object, const char *name);

// The text of a value; nothing where it is none.
std::optional<std::string> textOf(const Json &value);

// One line; bytes that are no UTF-8 are replaced.
std::string writeJson(const Json &value);

} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "cni/json.hpp"

namespace weft::cni {

namespace {

// Writing is recursive; a network configuration is a few levels deep.
constexpr int max_depth = 64;

} // namespace

std::optional<Json> parseJson(std::string_view text) {
    bool too_deep = false;
    const auto watch = [&too_deep](int depth, Json::parse_event_t, Json &) {
        too_deep = too_deep || depth > max_depth;
        return !too_deep;
    };
    Json value = Json::parse(text.begin(), text.end(), watch, false);
    if (too_deep || value.is_discarded())
        return std::nullopt;
    return value;
}

const Json &fieldOf(const Json &object, const char *name) {
    static const Json nothing;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() ? *found : nothing;
}

std::optional<std::string> textOf(const Json &value) {
    const auto *text = value.get_ptr<const std::string *>();
    return text != nullptr ? std::optional(*text) : std::nullopt;
}

std::string writeJson(const Json &value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace weft::cni

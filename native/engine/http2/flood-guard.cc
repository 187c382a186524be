// SPDX-License-Identifier: Apache-2.0
#include "engine/http2/flood-guard.hpp"

namespace weft::http2 {
namespace {

Reason reason_for(Nuisance what) {
    switch (what) {
    case Nuisance::reset:
        return Reason::http2_reset_flood;
    case Nuisance::ping:
        return Reason::http2_ping_flood;
    case Nuisance::settings:
        return Reason::http2_settings_flood;
    case Nuisance::idle_frame:
    case Nuisance::window_update:
    case Nuisance::count:
        break;
    }
    return Reason::http2_frame_flood;
}

} // namespace

uint64_t FloodGuard::allowed(Nuisance what) const {
    switch (what) {
    case Nuisance::reset:
        return limits_.resets + resets_earned_;
    case Nuisance::ping:
        return limits_.pings;
    case Nuisance::settings:
        return limits_.settings;
    case Nuisance::idle_frame:
        return limits_.idle_frames;
    case Nuisance::window_update:
        return limits_.window_updates + updates_earned_;
    case Nuisance::count:
        break;
    }
    return 0;
}

Reason FloodGuard::count(Nuisance what, uint64_t now_ms) {
    if (now_ms - interval_start_ >= limits_.interval_ms) {
        interval_start_ = now_ms;
        updates_earned_ = 0;
        resets_earned_ = 0;
        counts_ = {};
    }
    return ++counts_[static_cast<size_t>(what)] > allowed(what) ? reason_for(what) : Reason::none;
}

} // namespace weft::http2

// SPDX-License-Identifier: Apache-2.0
// Counts frames that cost us work and the peer nothing, per interval. Pure: time is passed in.
#pragma once
#include "engine/reasons.hpp"
#include <array>
#include <cstddef>

namespace weft::http2 {

/// Allowed in one interval.
struct FloodLimits {
    uint32_t interval_ms = 10'000;
    /// Streams that ended early by the peer's doing: RST_STREAM (CVE-2023-44487), and what made us send one;
    /// plus one for each stream that ended well, so that a busy connection on which some calls are cancelled
    /// lives.
    uint32_t resets = 500;
    uint32_t pings = 200;
    uint32_t settings = 50;
    /// PRIORITY, and DATA without content that does not end its stream. (Frames of unknown types cost their
    /// bytes only.)
    uint32_t idle_frames = 1'000;
    /// WINDOW_UPDATE frames, plus 10 for each DATA frame that we sent.
    uint32_t window_updates = 1'000;
};

enum class Nuisance : uint8_t { reset, ping, settings, idle_frame, window_update, count };

class FloodGuard {
public:
    explicit FloodGuard(const FloodLimits &limits) : limits_(limits) {}

    /// Counts one; not `none` where that was one too many.
    Reason count(Nuisance what, uint64_t now_ms);
    /// A DATA frame was sent, so WINDOW_UPDATE frames will come back.
    void sent_data() { updates_earned_ += updates_per_data; }
    /// A stream ended well.
    void ended_well() { resets_earned_ += 1; }

private:
    static constexpr uint32_t updates_per_data = 10;

    uint64_t allowed(Nuisance what) const;

    FloodLimits limits_;
    uint64_t interval_start_ = 0;
    uint64_t updates_earned_ = 0;
    uint64_t resets_earned_ = 0;
    std::array<uint64_t, static_cast<size_t>(Nuisance::count)> counts_{};
};

} // namespace weft::http2

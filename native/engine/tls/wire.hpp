// SPDX-License-Identifier: Apache-2.0
// What OpenSSL takes for a socket: two windows on memory of the caller, so that bytes are copied once each
// way.
#pragma once
#include "engine/tls/openssl-handles.hpp"
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace weft::tls {

using Bytes = std::span<const uint8_t>;

class Wire {
public:
    /// More than this is never kept for a caller that has not asked for it.
    static constexpr size_t max_held_bytes = size_t{64} << 10;

    /// OpenSSL's view; `BIO_set_data` names the Wire.
    static OwnedBioMethod make_method();

    /// Bytes that OpenSSL may read now; they must stay until `left` was asked.
    void offer(Bytes input) { input_ = input; }
    /// Those that it has not read.
    Bytes left() const { return input_; }
    /// OpenSSL is told that nothing is there once it has read so many bytes in all.
    void allow(uint64_t bytes) { allowance_ = bytes; }
    bool spent() const { return allowance_ == 0; }

    /// Room that OpenSSL may write to, behind what is held. `take_back` tells how much it used.
    void lend(std::span<uint8_t> room) { room_ = room; }
    size_t take_back() {
        room_ = {};
        return std::exchange(used_, 0);
    }
    /// Something was written while there was no room.
    bool holds() const { return !held_.empty(); }
    /// Moves what is held; returns how many bytes.
    size_t drain(std::span<uint8_t> out);

private:
    static int read_bytes(BIO *bio, char *out, size_t size, size_t *got);
    static int write_bytes(BIO *bio, const char *bytes, size_t size, size_t *written);
    static long control(BIO *bio, int command, long number, void *pointer);
    static int create(BIO *bio);

    Bytes input_;
    uint64_t allowance_ = UINT64_MAX;
    std::span<uint8_t> room_;
    size_t used_ = 0;
    std::vector<uint8_t> held_;
    size_t drained_ = 0;
};

} // namespace weft::tls

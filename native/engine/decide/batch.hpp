// SPDX-License-Identifier: Apache-2.0
// One turn's questions and answers, as columns in one piece of memory that is shared with the decision.
// The lists below are the layout: the addon makes typed arrays of them, native/load-engine.ts compares their
// names and types with native/engine.ts.
#pragma once
#include "engine/decide/verdict.hpp"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

// X(type, name in C++, name in TypeScript, elements per row)
#define WEFT_ROW_COLUMNS(X)                                                                                  \
    X(uint8_t, kind, kind, 1)                                                                                \
    X(uint32_t, id, id, 1)                                                                                   \
    X(uint32_t, generation, generation, 1)                                                                   \
    X(uint32_t, workload, workload, 1)                                                                       \
    X(uint8_t, direction, direction, 1)                                                                      \
    X(uint32_t, connection_tag, connectionTag, 1)                                                            \
    X(uint32_t, request_tag, requestTag, 1)                                                                  \
    X(uint16_t, flags, flags, 1)                                                                             \
    X(uint8_t, method, method, 1)                                                                            \
    X(uint8_t, attempt, attempt, 1)                                                                          \
    X(uint16_t, reason, reason, 1)                                                                           \
    X(uint16_t, status, status, 1)                                                                           \
    X(uint8_t, destination_ip, destinationIp, 16)                                                            \
    X(uint16_t, destination_port, destinationPort, 1)                                                        \
    X(uint8_t, source_ip, sourceIp, 16)                                                                      \
    X(uint16_t, source_port, sourcePort, 1)                                                                  \
    X(uint32_t, method_offset, methodOffset, 1)                                                              \
    X(uint16_t, method_length, methodLength, 1)                                                              \
    X(uint32_t, path_offset, pathOffset, 1)                                                                  \
    X(uint32_t, path_length, pathLength, 1)                                                                  \
    X(uint32_t, host_offset, hostOffset, 1)                                                                  \
    X(uint16_t, host_length, hostLength, 1)                                                                  \
    X(double, body_bytes, bodyBytes, 1)                                                                      \
    X(uint32_t, header_offset, headerOffset, ::weft::max_wanted_headers)                                     \
    X(uint32_t, header_length, headerLength, ::weft::max_wanted_headers)                                     \
    X(uint32_t, peer_offset, peerOffset, 1)                                                                  \
    X(uint16_t, peer_length, peerLength, 1)                                                                  \
    X(uint8_t, alpn, alpn, 1)                                                                                \
    X(uint8_t, protocol, protocol, 1)

#define WEFT_VERDICT_COLUMNS(X)                                                                              \
    X(uint8_t, action, action, 1)                                                                            \
    X(uint8_t, flags, flags, 1)                                                                              \
    X(uint16_t, reason, reason, 1)                                                                           \
    X(uint32_t, endpoint, endpoint, 1)                                                                       \
    X(uint32_t, tag, tag, 1)                                                                                 \
    X(uint16_t, request_edit, requestEdit, 1)                                                                \
    X(uint16_t, response_edit, responseEdit, 1)                                                              \
    X(uint16_t, reply, reply, 1)                                                                             \
    X(uint16_t, retry_statuses, retryStatuses, 1)                                                            \
    X(uint32_t, deadline_ms, deadlineMs, 1)                                                                  \
    X(uint32_t, backend_timeout_ms, backendTimeoutMs, 1)                                                     \
    X(uint32_t, delay_ms, delayMs, 1)                                                                        \
    X(uint32_t, buffer_bytes, bufferBytes, 1)                                                                \
    X(uint32_t, path_offset, pathOffset, 1)                                                                  \
    X(uint32_t, path_length, pathLength, 1)                                                                  \
    X(uint32_t, host_offset, hostOffset, 1)                                                                  \
    X(uint32_t, host_length, hostLength, 1)                                                                  \
    X(uint32_t, extra_offset, extraOffset, 1)                                                                \
    X(uint32_t, extra_length, extraLength, 1)                                                                \
    X(uint32_t, body_offset, bodyOffset, 1)                                                                  \
    X(uint32_t, body_length, bodyLength, 1)

#define WEFT_COMPLETION_COLUMNS(X)                                                                           \
    X(uint8_t, kind, kind, 1)                                                                                \
    X(uint32_t, workload, workload, 1)                                                                       \
    X(uint8_t, direction, direction, 1)                                                                      \
    X(uint32_t, connection_tag, connectionTag, 1)                                                            \
    X(uint32_t, request_tag, requestTag, 1)                                                                  \
    X(uint32_t, endpoint, endpoint, 1)                                                                       \
    X(uint16_t, status, status, 1)                                                                           \
    X(int16_t, grpc_status, grpcStatus, 1)                                                                   \
    X(uint16_t, reason, reason, 1)                                                                           \
    X(uint8_t, attempt, attempt, 1)                                                                          \
    X(uint8_t, reused, reused, 1)                                                                            \
    X(double, bytes_received, bytesReceived, 1)                                                              \
    X(double, bytes_sent, bytesSent, 1)                                                                      \
    X(double, decide_us, decideUs, 1)                                                                        \
    X(double, connect_us, connectUs, 1)                                                                      \
    X(double, first_byte_us, firstByteUs, 1)                                                                 \
    X(double, total_us, totalUs, 1)

namespace weft {

/// Where one column lies in the batch's memory.
struct ColumnLayout {
    const char *name;
    /// Bytes of one element: 1, 2, 4 unsigned, 8 a double.
    size_t element_bytes;
    size_t per_row;
    size_t offset;
    size_t elements;
};

/// Parts of the memory that are not columns: text, scratch, and the control words.
struct RangeLayout {
    size_t offset;
    size_t bytes;
};

class Batch {
public:
    /// Control words (uint32): 1 while a decision runs, and how much of the text is in use.
    static constexpr size_t control_live = 0;
    static constexpr size_t control_text = 1;
    static constexpr size_t text_bytes = size_t{1} << 20;
    static constexpr size_t scratch_bytes = size_t{1} << 20;

    explicit Batch(uint32_t capacity);

    /// Shared so that whoever looks at the columns may outlive the engine.
    std::shared_ptr<uint8_t[]> memory() const { return memory_; }
    size_t bytes() const { return bytes_; }
    uint32_t capacity() const { return capacity_; }
    const std::vector<ColumnLayout> &row_layout() const { return row_layout_; }
    const std::vector<ColumnLayout> &verdict_layout() const { return verdict_layout_; }
    const std::vector<ColumnLayout> &completion_layout() const { return completion_layout_; }
    RangeLayout text_layout() const { return text_; }
    RangeLayout scratch_layout() const { return scratch_; }
    RangeLayout control_layout() const { return control_; }

    /// Forgets the text of the call before.
    void begin() { text_used_ = 0; }
    /// Room for `bytes` of text, or nullptr where the arena is full: the row waits for the next call.
    char *reserve_text(size_t bytes);
    uint32_t offset_of(const char *text) const { return static_cast<uint32_t>(text - text_start()); }
    size_t text_left() const { return text_bytes - text_used_; }
    /// Zeroes the verdicts of the first `rows` rows.
    void clear_verdicts(uint32_t rows);
    void set_live(bool live);
    /// Copies an answer out; false where its text lies outside the scratch.
    bool read_verdict(uint32_t row, Verdict &out) const;
    void write_completion(uint32_t index, const Completion &completion);

#define WEFT_MEMBER(type, name, script, per_row) type *name = nullptr;
    struct RowColumns {
        WEFT_ROW_COLUMNS(WEFT_MEMBER)
    } rows;
    struct VerdictColumns {
        WEFT_VERDICT_COLUMNS(WEFT_MEMBER)
    } verdicts;
    struct CompletionColumns {
        WEFT_COMPLETION_COLUMNS(WEFT_MEMBER)
    } completions;
#undef WEFT_MEMBER

    char *scratch_start() const { return reinterpret_cast<char *>(memory_.get()) + scratch_.offset; }
    char *text_start() const { return reinterpret_cast<char *>(memory_.get()) + text_.offset; }

private:
    size_t place(size_t bytes);
    std::string_view scratch_text(uint32_t offset, uint32_t length, bool &ok) const;

    uint32_t capacity_;
    size_t bytes_ = 0;
    size_t text_used_ = 0;
    RangeLayout text_{}, scratch_{}, control_{};
    std::vector<ColumnLayout> row_layout_, verdict_layout_, completion_layout_;
    std::shared_ptr<uint8_t[]> memory_;
};

} // namespace weft

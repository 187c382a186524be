// SPDX-License-Identifier: Apache-2.0
#include "engine/decide/batch.hpp"
#include <cstdlib>
#include <cstring>
#include <new>

namespace weft {

size_t Batch::place(size_t bytes) {
    const size_t offset = bytes_;
    bytes_ += (bytes + 63) & ~size_t{63};
    return offset;
}

Batch::Batch(uint32_t capacity) : capacity_(capacity) {
    control_ = {place(64), 64};
#define WEFT_ROW(type, name, script, per_row)                                                                \
    row_layout_.push_back(                                                                                   \
        {#script, sizeof(type), per_row, place(sizeof(type) * (per_row) * capacity), (per_row) * capacity});
#define WEFT_VERDICT(type, name, script, per_row)                                                            \
    verdict_layout_.push_back({#script, sizeof(type), per_row, place(sizeof(type) * capacity), capacity});
#define WEFT_COMPLETION(type, name, script, per_row)                                                         \
    completion_layout_.push_back({#script, sizeof(type), per_row, place(sizeof(type) * capacity), capacity});
    WEFT_ROW_COLUMNS(WEFT_ROW)
    WEFT_VERDICT_COLUMNS(WEFT_VERDICT)
    WEFT_COMPLETION_COLUMNS(WEFT_COMPLETION)
#undef WEFT_ROW
#undef WEFT_VERDICT
#undef WEFT_COMPLETION
    text_ = {place(text_bytes), text_bytes};
    scratch_ = {place(scratch_bytes), scratch_bytes};
    // Aligned for the widest column; zeroed, since all of it is visible to the decision from the start.
    auto *memory = static_cast<uint8_t *>(std::aligned_alloc(4096, (bytes_ + 4095) & ~size_t{4095}));
    if (memory == nullptr)
        throw std::bad_alloc();
    std::memset(memory, 0, bytes_);
    memory_ = std::shared_ptr<uint8_t[]>(memory, [](uint8_t *old) { std::free(old); });

    size_t index = 0;
#define WEFT_BIND(type, name, script, per_row)                                                               \
    rows.name = reinterpret_cast<type *>(memory_.get() + row_layout_[index++].offset);
    WEFT_ROW_COLUMNS(WEFT_BIND)
#undef WEFT_BIND
    index = 0;
#define WEFT_BIND(type, name, script, per_row)                                                               \
    verdicts.name = reinterpret_cast<type *>(memory_.get() + verdict_layout_[index++].offset);
    WEFT_VERDICT_COLUMNS(WEFT_BIND)
#undef WEFT_BIND
    index = 0;
#define WEFT_BIND(type, name, script, per_row)                                                               \
    completions.name = reinterpret_cast<type *>(memory_.get() + completion_layout_[index++].offset);
    WEFT_COMPLETION_COLUMNS(WEFT_BIND)
#undef WEFT_BIND
}

char *Batch::reserve_text(size_t bytes) {
    if (bytes > text_left())
        return nullptr;
    char *start = text_start() + text_used_;
    text_used_ += bytes;
    return start;
}

void Batch::clear_verdicts(uint32_t count) {
#define WEFT_ZERO(type, name, script, per_row) std::memset(verdicts.name, 0, sizeof(type) * count);
    WEFT_VERDICT_COLUMNS(WEFT_ZERO)
#undef WEFT_ZERO
}

void Batch::set_live(bool live) {
    auto *control = reinterpret_cast<uint32_t *>(memory_.get() + control_.offset);
    control[control_live] = live ? 1 : 0;
    control[control_text] = live ? static_cast<uint32_t>(text_used_) : 0;
}

std::string_view Batch::scratch_text(uint32_t offset, uint32_t length, bool &ok) const {
    if (offset > scratch_bytes || length > scratch_bytes - offset) {
        ok = false;
        return {};
    }
    return {scratch_start() + offset, length};
}

bool Batch::read_verdict(uint32_t row, Verdict &out) const {
    bool ok = true;
    out.action = static_cast<Action>(verdicts.action[row]);
    out.flags = verdicts.flags[row];
    out.reason = static_cast<Reason>(verdicts.reason[row]);
    out.endpoint = verdicts.endpoint[row];
    out.tag = verdicts.tag[row];
    out.request_edit = verdicts.request_edit[row];
    out.response_edit = verdicts.response_edit[row];
    out.reply = verdicts.reply[row];
    out.retry_statuses = verdicts.retry_statuses[row];
    out.deadline_ms = verdicts.deadline_ms[row];
    out.backend_timeout_ms = verdicts.backend_timeout_ms[row];
    out.delay_ms = verdicts.delay_ms[row];
    out.buffer_bytes = verdicts.buffer_bytes[row];
    out.path = scratch_text(verdicts.path_offset[row], verdicts.path_length[row], ok);
    out.host = scratch_text(verdicts.host_offset[row], verdicts.host_length[row], ok);
    out.extra = scratch_text(verdicts.extra_offset[row], verdicts.extra_length[row], ok);
    out.body = scratch_text(verdicts.body_offset[row], verdicts.body_length[row], ok);
    out.has_body = !out.body.empty();
    return ok;
}

void Batch::write_completion(uint32_t index, const Completion &completion) {
    completions.kind[index] = static_cast<uint8_t>(completion.kind);
    completions.workload[index] = completion.workload;
    completions.direction[index] = static_cast<uint8_t>(completion.direction);
    completions.connection_tag[index] = completion.connection_tag;
    completions.request_tag[index] = completion.request_tag;
    completions.endpoint[index] = completion.endpoint;
    completions.status[index] = completion.status;
    completions.grpc_status[index] = completion.grpc_status;
    completions.reason[index] = static_cast<uint16_t>(completion.reason);
    completions.attempt[index] = completion.attempt;
    completions.reused[index] = completion.reused ? 1 : 0;
    completions.bytes_received[index] = static_cast<double>(completion.bytes_received);
    completions.bytes_sent[index] = static_cast<double>(completion.bytes_sent);
    completions.decide_us[index] = static_cast<double>(completion.decide_us);
    completions.connect_us[index] = static_cast<double>(completion.connect_us);
    completions.first_byte_us[index] = static_cast<double>(completion.first_byte_us);
    completions.total_us[index] = static_cast<double>(completion.total_us);
}

} // namespace weft

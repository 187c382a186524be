// SPDX-License-Identifier: Apache-2.0
// nghttp2's C callbacks: each finds its session and calls the method that does the work.
#include "engine/http2/session-state.hpp"

namespace weft::http2 {
namespace {

Session::State &state_of(void *user_data) {
    return *static_cast<Session::State *>(user_data);
}

std::string_view text_of(nghttp2_rcbuf *buffer) {
    const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
    return {reinterpret_cast<const char *>(bytes.base), bytes.len};
}

ssize_t read_content(nghttp2_session *, int32_t id, uint8_t *room, size_t size, uint32_t *flags,
                     nghttp2_data_source *, void *user_data) {
    return state_of(user_data).fill(id, {room, size}, *flags);
}

} // namespace

nghttp2_data_provider data_provider() {
    return {.source = {.ptr = nullptr}, .read_callback = read_content};
}

void set_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(
        callbacks, [](nghttp2_session *, const nghttp2_frame_hd *header, void *user_data) {
            return state_of(user_data).begin_frame(*header);
        });
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        callbacks, [](nghttp2_session *, const nghttp2_frame *frame, void *user_data) {
            return state_of(user_data).begin_headers(*frame);
        });
    nghttp2_session_callbacks_set_on_header_callback2(
        callbacks, [](nghttp2_session *, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                      nghttp2_rcbuf *value, uint8_t, void *user_data) {
            return state_of(user_data).take_header(*frame, text_of(name), text_of(value));
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session *, uint8_t, int32_t id, const uint8_t *data, size_t size,
                      void *user_data) { return state_of(user_data).take_data(id, {data, size}); });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session *, const nghttp2_frame *frame, void *user_data) {
            return state_of(user_data).take_frame(*frame);
        });
    nghttp2_session_callbacks_set_on_frame_send_callback(
        callbacks, [](nghttp2_session *, const nghttp2_frame *frame, void *user_data) {
            return state_of(user_data).frame_sent(*frame);
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session *, int32_t id, uint32_t error_code, void *user_data) {
            return state_of(user_data).close_stream(id, error_code);
        });
}

} // namespace weft::http2

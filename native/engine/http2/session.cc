// SPDX-License-Identifier: Apache-2.0
#include "engine/http2/session-state.hpp"
#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <new>

namespace weft::http2 {
namespace {

/// Acknowledgements that may wait for a peer that does not read.
constexpr size_t max_outbound_acks = 100;

/// More than any connection sees: `FloodGuard` counts resets, and knows which streams ended well.
constexpr uint64_t unlimited = uint64_t{1} << 40;

struct Options {
    explicit Options(const Limits &limits) {
        if (nghttp2_option_new(&value) != 0) {
            throw std::bad_alloc{};
        }
        nghttp2_option_set_no_auto_window_update(value, 1);
        nghttp2_option_set_max_outbound_ack(value, max_outbound_acks);
        nghttp2_option_set_no_closed_streams(value, 1);
        // HeaderBlock and State check messages themselves: versions of nghttp2 differ in what they refuse,
        // and none says why.
        nghttp2_option_set_no_http_messaging(value, 1);
        nghttp2_option_set_stream_reset_rate_limit(value, unlimited, unlimited);
        nghttp2_option_set_max_continuations(value, limits.continuations + 1);
    }
    ~Options() { nghttp2_option_del(value); }
    Options(const Options &) = delete;
    Options &operator=(const Options &) = delete;

    nghttp2_option *value = nullptr;
};

struct Callbacks {
    Callbacks() {
        if (nghttp2_session_callbacks_new(&value) != 0) {
            throw std::bad_alloc{};
        }
        set_callbacks(value);
    }
    ~Callbacks() { nghttp2_session_callbacks_del(value); }
    Callbacks(const Callbacks &) = delete;
    Callbacks &operator=(const Callbacks &) = delete;

    nghttp2_session_callbacks *value = nullptr;
};

void announce(nghttp2_session *session, Role role, const Limits &limits) {
    // RFC 9218 takes the place of the old priorities; we keep none, so nothing need be remembered of idle
    // streams.
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.head_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        role == Role::server
            ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrent_streams}
            : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    const int settings = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries, std::size(entries));
    const auto window = static_cast<int32_t>(std::min<uint32_t>(limits.connection_window, 0x7fffffff));
    if (settings != 0 || nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, window) != 0) {
        throw std::bad_alloc{};
    }
}

/// RFC 4648 section 5, without padding; false for anything else.
bool decode_base64url(std::string_view text, std::vector<uint8_t> &out) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    uint32_t count = 0;
    for (const char each : text) {
        const size_t digit = alphabet.find(each);
        if (digit == std::string_view::npos) {
            return false;
        }
        bits = bits << 6 | static_cast<uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<uint8_t>(bits >> count));
            bits &= (1U << count) - 1;
        }
    }
    return count < 6 && bits == 0;
}

} // namespace

const char *library_file() {
    Dl_info found{};
    const bool known = dladdr(reinterpret_cast<const void *>(&nghttp2_session_mem_recv), &found) != 0;
    return known && found.dli_fname != nullptr ? found.dli_fname : "";
}

Session::Session(Role role, const Limits &limits, Handler &handler)
    : state_(std::make_unique<State>(role, limits, handler)) {
    const Options options{limits};
    const Callbacks callbacks;
    const int made =
        role == Role::server
            ? nghttp2_session_server_new2(&state_->session, callbacks.value, state_.get(), options.value)
            : nghttp2_session_client_new2(&state_->session, callbacks.value, state_.get(), options.value);
    if (made != 0) {
        throw std::bad_alloc{};
    }
    announce(state_->session, role, limits);
}

Session::~Session() {
    nghttp2_session_del(state_->session);
}

Reason Session::receive(Bytes input, uint64_t now_ms) {
    state_->now_ms = now_ms;
    if (state_->failure != Reason::none || input.empty()) {
        return state_->failure;
    }
    Reason judged = Reason::none;
    if (state_->role == Role::server) {
        const size_t allowed = state_->heads.follow(input, [this, &judged](const FrameHead &head) {
            judged = state_->judge(head);
            return judged == Reason::none;
        });
        input = input.first(allowed);
    }
    const ssize_t taken = nghttp2_session_mem_recv(state_->session, input.data(), input.size());
    if (taken == NGHTTP2_ERR_FLOODED) {
        state_->fail(Reason::http2_frame_flood, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (taken < 0) {
        state_->fail(Reason::http2_protocol_error, NGHTTP2_PROTOCOL_ERROR);
    } else if (judged != Reason::none) {
        state_->fail(judged, judged == Reason::http2_protocol_error ? NGHTTP2_STREAM_CLOSED
                                                                    : NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return state_->failure;
}

size_t Session::send(std::span<uint8_t> room) {
    size_t sent = 0;
    while (sent < room.size()) {
        if (state_->unsent.empty()) {
            const uint8_t *data = nullptr;
            const ssize_t size = nghttp2_session_mem_send(state_->session, &data);
            if (size < 0) {
                state_->fail(Reason::http2_protocol_error, NGHTTP2_INTERNAL_ERROR);
            }
            if (size <= 0) {
                return sent;
            }
            state_->unsent = {data, static_cast<size_t>(size)};
        }
        const size_t part = std::min(room.size() - sent, state_->unsent.size());
        std::memcpy(room.data() + sent, state_->unsent.data(), part);
        state_->unsent = state_->unsent.subspan(part);
        sent += part;
    }
    return sent;
}

bool Session::finished() const {
    const bool idle =
        nghttp2_session_want_read(state_->session) == 0 && nghttp2_session_want_write(state_->session) == 0;
    return state_->unsent.empty() && (idle || state_->failure != Reason::none);
}

Reason Session::failure() const {
    return state_->failure;
}

StreamRef Session::request(Bytes input, const http1::RequestHead &head, const http1::RequestRewrite &rewrite,
                           bool has_content, Reason &why) {
    State &state = *state_;
    why = state.list.set_request(input, head, rewrite);
    if (why != Reason::none) {
        return {};
    }
    StreamRef ref;
    Stream *const stream = state.streams.open_count() < allowed_streams() ? state.streams.open(ref) : nullptr;
    if (stream == nullptr) {
        why = Reason::http2_stream_limit;
        return {};
    }
    const nghttp2_data_provider content = data_provider();
    const int32_t id =
        state.failure == Reason::none && nghttp2_session_check_request_allowed(state.session) != 0
            ? nghttp2_submit_request(state.session, nullptr, state.list.data(), state.list.size(),
                                     has_content ? &content : nullptr, pack(ref))
            : -1;
    if (id < 0) {
        state.streams.close(ref);
        why = Reason::http2_refused_stream;
        return {};
    }
    stream->id = id;
    stream->announced = true;
    stream->method = head.method;
    return ref;
}

StreamRef Session::upgrade(std::string_view settings, http1::Method method) {
    State &state = *state_;
    std::vector<uint8_t> payload;
    StreamRef ref;
    Stream *const stream = decode_base64url(settings, payload) ? state.streams.open(ref) : nullptr;
    if (stream == nullptr) {
        return {};
    }
    const bool head = method == http1::Method::HEAD;
    if (nghttp2_session_upgrade2(state.session, payload.data(), payload.size(), head ? 1 : 0, nullptr) != 0) {
        state.streams.close(ref);
        return {};
    }
    nghttp2_session_set_stream_user_data(state.session, 1, pack(ref)); // a server's is not taken above
    state.unended.upgraded();
    stream->id = 1;
    stream->announced = stream->head_done = stream->peer_ended = true;
    stream->method = method;
    stream->expected = 0;
    return ref;
}

bool Session::respond(StreamRef ref, Bytes input, const http1::ResponseHead &head,
                      const http1::ResponseRewrite &rewrite, bool has_content) {
    State &state = *state_;
    Stream *const stream = state.streams.find(ref);
    if (stream == nullptr || stream->responded ||
        state.list.set_response(input, head, rewrite) != Reason::none) {
        return false;
    }
    if (head.interim) {
        return nghttp2_submit_headers(state.session, NGHTTP2_FLAG_NONE, stream->id, nullptr,
                                      state.list.data(), state.list.size(), nullptr) == 0;
    }
    const nghttp2_data_provider content = data_provider();
    stream->responded = nghttp2_submit_response(state.session, stream->id, state.list.data(),
                                                state.list.size(), has_content ? &content : nullptr) == 0;
    return stream->responded;
}

bool Session::reply(StreamRef ref, const http1::LocalReply &reply) {
    State &state = *state_;
    Stream *const stream = state.streams.find(ref);
    if (stream == nullptr || stream->responded || state.list.set_reply(reply) != Reason::none) {
        return false;
    }
    const bool bodiless = reply.status == 204 || reply.status == 304 || stream->method == http1::Method::HEAD;
    const nghttp2_data_provider content = data_provider();
    const bool has_content = !bodiless && !reply.body.empty();
    stream->responded = nghttp2_submit_response(state.session, stream->id, state.list.data(),
                                                state.list.size(), has_content ? &content : nullptr) == 0;
    return stream->responded;
}

void Session::refuse_rest(StreamRef ref) {
    if (Stream *const stream = state_->streams.find(ref); stream != nullptr) {
        stream->rest_refused = true;
        state_->refuse_rest(*stream);
    }
}

bool Session::has_sent_all(StreamRef ref) const {
    const Stream *const stream = state_->streams.find(ref);
    return stream == nullptr || stream->own_ended;
}

void Session::resume(StreamRef ref) {
    if (const Stream *const stream = state_->streams.find(ref); stream != nullptr) {
        nghttp2_session_resume_data(state_->session, stream->id);
    }
}

void Session::credit(StreamRef ref, size_t size) {
    Stream *const stream = state_->streams.find(ref);
    if (stream == nullptr) {
        return;
    }
    const size_t credited = std::min(size, stream->uncredited);
    stream->uncredited -= credited;
    nghttp2_session_consume_stream(state_->session, stream->id, credited);
}

void Session::reset(StreamRef ref, uint32_t error_code, Reason why) {
    Stream *const stream = state_->streams.find(ref);
    const bool over = stream == nullptr || (stream->own_ended && stream->peer_ended);
    if (over || stream->own_reset || stream->why != Reason::none) {
        return;
    }
    stream->own_reset = true;
    stream->why = why;
    nghttp2_submit_rst_stream(state_->session, NGHTTP2_FLAG_NONE, stream->id, error_code);
}

void Session::begin_drain() {
    if (state_->role == Role::server) {
        nghttp2_submit_shutdown_notice(state_->session);
    } else {
        finish_drain();
    }
}

void Session::finish_drain() {
    nghttp2_submit_goaway(state_->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(state_->session), NGHTTP2_NO_ERROR, nullptr,
                          0);
}

void Session::terminate(uint32_t error_code) {
    nghttp2_session_terminate_session(state_->session, error_code);
}

void Session::abandon(Reason why) {
    state_->failure = state_->failure == Reason::none ? why : state_->failure;
    for (StreamRef ref = state_->streams.any(); ref; ref = state_->streams.any()) {
        const bool announced = state_->streams.find(ref)->announced;
        state_->streams.close(ref);
        announced ? state_->handler.on_closed(ref, why, NGHTTP2_INTERNAL_ERROR)
                  : state_->handler.on_refused(why);
    }
}

uint32_t Session::streams() const {
    return state_->streams.open_count();
}

uint32_t Session::allowed_streams() const {
    return std::min(
        state_->limits.concurrent_streams,
        nghttp2_session_get_remote_settings(state_->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

uint32_t Session::free_streams() const {
    const bool takes =
        state_->failure == Reason::none && nghttp2_session_check_request_allowed(state_->session) != 0;
    const uint32_t allowed = takes ? allowed_streams() : 0;
    return allowed - std::min(allowed, streams());
}

bool Session::is_open(StreamRef ref) const {
    return state_->streams.find(ref) != nullptr;
}

} // namespace weft::http2

// SPDX-License-Identifier: Apache-2.0
// One thread's engine: it accepts, parses, dials and moves bytes, and asks its host once per turn what to do.
// It has no thread, no loop, no clock and no statics of its own: the host calls turn() when poll_fd() is
// readable or the time that turn() gave has come.
//
// Its parts lie in folders, by what they are: README.md tells which does what.
// Long because all parts of the engine share its state, and each is short in a file of its own.
#pragma once
#include "engine/connection/connection.hpp"
#include "engine/connection/gather.hpp"
#include "engine/connection/note.hpp"
#include "engine/decide/batch.hpp"
#include "engine/decide/definitions.hpp"
#include "engine/dial/upstream-pool.hpp"
#include "engine/exchange/exchange.hpp"
#include "engine/host.hpp"
#include "engine/http1/edit.hpp"
#include "engine/http1/parse-head.hpp"
#include "engine/http1/write-head.hpp"
#include "engine/limits.hpp"
#include "engine/memory/ring-queue.hpp"
#include "engine/memory/slab.hpp"
#include "engine/schedule/timer-wheel.hpp"
#include "engine/schedule/workload.hpp"
#include "engine/secure/peer-numbers.hpp"
#include "engine/secure/ticket-cache.hpp"
#include "engine/tls/client-hello.hpp"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft {

/// What one turn may do before whoever came meanwhile is seen.
struct TurnBounds {
    /// In bytes' worth of time.
    uint64_t cost;
    /// Of one connection.
    size_t connection_bytes;
    uint32_t handshakes;
    /// Of one listener.
    int accepts;
};

class Engine {
public:
    /// `notes_map` is not owned; -1 without a kernel part. Throws std::system_error where epoll is refused.
    Engine(Host &host, const EngineLimits &limits, int notes_map);
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;
    ~Engine();

    int poll_fd() const { return epoll_; }
    /// One bounded round: events, timers, work, one or more decisions, their consequences.
    TurnResult turn();
    Batch &batch() { return batch_; }

    void set_wanted_headers(const std::vector<std::string> &names);
    /// False where the name is taken (add) or unknown (set, remove, add_listener, add_sockets).
    bool add_workload(uint32_t name, const WorkloadOptions &options);
    bool set_workload(uint32_t name, const WorkloadOptions &options);
    /// Takes what waits in the backlogs of its listeners and closes them. Connections are told to leave by
    /// their next answer and end after `end_ms`; until then they are served as before.
    bool retire_workload(uint32_t name, uint32_t end_ms);
    bool remove_workload(uint32_t name, uint32_t grace_ms);
    /// Takes ownership in every case. An error number, 0 where it went well.
    int add_listener(uint32_t workload, Direction direction, int descriptor);
    /// Takes a connected socket over as if a listener had accepted it: handed over by another process, or a
    /// pair. Takes ownership in every case; false where the workload is not known.
    bool add_connection(uint32_t workload, Direction direction, int descriptor, const Address &source,
                        const Address &destination);
    bool add_sockets(uint32_t workload, Family family, const std::vector<int> &descriptors);
    /// False where the workload is not known. `problem` tells why the identity was refused; then the one
    /// before stays.
    bool set_identity(uint32_t workload, tls::IdentityText &text, tls::IdentityProblem &problem);
    /// One that was made before, and that several workloads or engines of this thread may share.
    bool set_identity(uint32_t workload, std::shared_ptr<const tls::Identity> identity);
    bool remove_identity(uint32_t workload, Reason reason, uint32_t grace_ms);
    /// From now on every handshake is a full one, until further tickets are given. For when policies change.
    void forget_tickets();
    void set_endpoint(uint32_t id, const Endpoint &endpoint);
    bool remove_endpoint(uint32_t id);

    DefinitionTable<http1::Edit> &edits() { return edits_; }
    DefinitionTable<http1::Reply> &replies() { return replies_; }
    DefinitionTable<StatusSet> &status_sets() { return status_sets_; }

    /// False where it is not parked (any more).
    bool resume(uint32_t id, uint32_t generation, const Verdict &verdict);
    size_t close_connections(Reason reason, const ConnectionMatch &match);
    /// They take nothing new, end when idle, and are reset after `grace_ms`.
    size_t drain_connections(Reason reason, const ConnectionMatch &match, uint32_t grace_ms);
    /// Ends the running requests that have this tag.
    size_t end_requests(Reason reason, uint32_t tag);
    void visit_connections(const std::function<void(const ConnectionInfo &)> &visit);
    EngineStats stats();
    /// Accepts no more, for another does; clients leave when they next ask. drained() tells when nothing is
    /// left.
    void hand_on();
    /// Accepts no more, ends what is idle, and lets what runs finish.
    void drain();
    bool drained() const { return draining_ && downstreams_ == 0; }
    /// Ends everything. The engine is of no more use.
    void close();
    /// Blocks of memory in use; 0 once everything has ended. For tests.
    size_t blocks_out() const { return blocks_.out(); }

private:
    friend class Http2End;

    struct Listener {
        Handle self;
        Handle workload;
        int descriptor = -1;
        Direction direction = Direction::outbound;
        bool ready = false;
        uint64_t paused_until_ms = 0;
        void reset() { *this = Listener{}; }
    };

    size_t turn_bytes() const { return std::min<size_t>(limits_.turn_bytes, bounds_.connection_bytes); }

    /// A thing that asks for a decision.
    struct Question {
        Handle subject;
        bool is_exchange = false;
    };

    // --- schedule ---
    void poll_events();
    void handle_event(uint64_t data, uint32_t events);
    void expire_timers();
    void on_timer(Timer &timer);
    void connection_timed_out(Connection &connection);
    void attempt_timed_out(Exchange &exchange);
    void give_up(Exchange &exchange, Reason reason);
    void schedule(Connection &connection);
    bool run_modest();
    bool run_ready();
    uint64_t run_workload(Handle handle);
    uint64_t run(Connection &connection);
    static bool reads_to_end(const Connection &connection);
    void run_downstream(Connection &connection);
    void run_upstream(Connection &connection);
    void read_clock();
    void end_of_call();

    // --- accept ---
    bool accept_all();
    bool accept_from(Listener &listener);
    void open_downstream(const Listener &listener, int descriptor, const Address &peer);
    Connection *admit(Handle workload, Direction direction, int descriptor, const Address &source);
    void ask_about(Connection &down);
    void close_listener(Listener &listener);

    // --- flow ---
    IoResult read_into(Connection &connection, char *out, size_t size);
    size_t read_size(const Connection &connection, size_t wanted);
    Gather &gather_to(Connection &target, size_t vectors, size_t copied);
    void flush_gather();
    void uncork();
    void flush_outbox(Connection &connection);
    void after_write(Connection &connection);
    void write_failed(Connection &connection);
    bool has_room(const Connection &target) const;
    void wake_source(Connection &target);
    void account(Connection &connection);
    Connection &new_connection(Handle workload, Role role, Direction direction);
    bool watch(Connection &connection);
    void close_connection(Connection &connection, Reason reason, bool reset = false);
    void linger(Connection &connection);
    void drain_lingering(Connection &connection);
    void downstream_lost(Connection &connection, Reason reason);
    void touch(Connection &connection);

    // --- protect ---
    void protect(Connection &connection, tls::AlpnSet alpns, std::string expected);
    void unprotect(Connection &connection);
    IoResult read_protected(Connection &connection, char *out, size_t size);
    void keep_ticket(Connection &connection);
    IoResult receive_protected(Connection &connection, char *out, size_t size, bool &drained);
    void flush_protected(Connection &target);
    bool seal(Connection &target, std::string_view plain, size_t &used);
    void send_waiting(Connection &connection);
    void put_on_wire(Connection &connection, std::string_view bytes);
    bool say_goodbye(Connection &connection);

    // --- handshake ---
    void secure(Connection &down);
    void sniff(Connection &down, const Verdict &verdict);
    void step_sniffing(Connection &down);
    void sniffing_timed_out(Connection &down);
    void end_sniffing(Connection &down);
    void begin_handshake(Connection &connection);
    void queue_handshake(Connection &connection);
    bool run_handshakes();
    void step_handshake(Connection &connection);
    bool begin_session(Connection &connection);
    bool feed_handshake(Connection &connection);
    void count_ticket(const tls::Session &session);
    void handshake_done(Connection &connection);
    void handshake_failed(Connection &connection, Reason reason);
    void end_handshake(Connection &connection, Reason reason);
    void begin_counting(Connection &down);
    void finish_counting(Protection &protection);
    Connection *unfinished(Handle handle);

    // --- retire ---
    void retire_after(Connection &connection, Reason reason, uint64_t notice_ms, uint64_t end_ms);
    void retire(Connection &connection);
    void end_retired(Connection &connection);
    void retirement_due(Connection &connection);

    // --- downstream ---
    void step_requests(Connection &down);
    bool wants_request_bytes(Connection &down, Exchange *exchange);
    size_t consume_requests(Connection &down, std::string_view bytes);
    size_t consume_request_head(Connection &down, Exchange &exchange, std::string_view bytes);
    size_t forward_request_body(Connection &down, Exchange &exchange, std::string_view bytes);
    size_t forward_request_chunks(Connection &down, Exchange &exchange, std::string_view bytes);
    bool tells_http2(Connection &down, std::string_view bytes);
    void requests_ended(Connection &down);
    void next_request(Connection &down);

    // --- body ---
    bool has_room(const ByteQueue &queue, const Workload &workload) const;
    bool has_request_room(const Exchange &exchange);
    bool has_response_room(const Exchange &exchange);
    void wake_client(Exchange &exchange);
    void wake_endpoint(Exchange &exchange);
    void account(Exchange &exchange);
    void begin_request_content(Exchange &exchange);
    void forward_pending(Exchange &exchange);
    void send_request_content(Exchange &exchange, std::string_view part);
    void write_request_content(Exchange &exchange, std::string_view part);
    void end_request_content(Exchange &exchange);
    void send_response_content(Exchange &exchange, std::string_view part);
    void write_content(Connection &to, bool chunked, std::string_view part);
    void write_content_end(Connection &to, http1::Bytes trailers);
    http2::Pulled pull_request(Exchange &exchange, std::span<uint8_t> room);
    http2::Pulled pull_response(Exchange &exchange, std::span<uint8_t> room);
    static http1::Bytes kept(const Block *block);
    void keep(Block *&block, http1::Bytes bytes);

    // --- http2-flow ---
    void begin_server_session(Connection &down);
    void open_session(Connection &connection, http2::Role role);
    void mark(Connection &connection);
    void pump_sessions(bool busy);
    void pump(Connection &connection);
    void end_session_if_done(Connection &connection);
    void step_session(Connection &connection);
    void receive_session(Connection &connection, std::string_view bytes);
    void fail_session(Connection &connection, Reason why);
    void lose_session(Connection &connection, Reason reason);
    void end_streams(Connection &connection, Reason reason);
    void close_after_write(Connection &connection, Reason reason);
    void drain_session(Connection &connection, Reason reason);
    void tell_last_stream(Connection &down);
    void session_goaway(Connection &connection);
    void session_timed_out(Connection &connection);

    // --- http2-downstream ---
    void stream_request(Connection &down, http2::StreamRef stream, http1::Bytes text,
                        const http1::RequestHead &head);
    void upgrade_to_http2(Connection &down, Exchange &exchange);
    void stream_request_content(Exchange &exchange, std::string_view part);
    void stream_request_ended(Exchange &exchange, http1::Bytes trailers);
    void stream_refused(Connection &connection, Reason why);
    void stream_closed(Connection &connection, Exchange *exchange, Reason why);
    bool respond_stream(Exchange &exchange, http1::Bytes bytes, const http1::ResponseRewrite &rewrite);
    void reply_stream(Exchange &exchange, const http1::LocalReply &reply, Reason reason);
    void finish_stream(Exchange &exchange, Reason reason);
    void abort_stream(Exchange &exchange, Reason reason);

    // --- http2-upstream ---
    bool wants_http2(const Exchange &exchange, const Verdict &verdict) const;
    bool keep_rewrite(Exchange &exchange, const Verdict &verdict);
    void start_stream(Exchange &exchange);
    template <class Visit> bool any_session(const Connection *down, const PoolKey &key, Visit visit);
    Connection *find_session(Connection &down, const PoolKey &key);
    Connection &new_session(Connection &down, const PoolKey &key, uint32_t endpoint);
    void forget_session(Connection &up);
    void session_connected(Connection &up);
    void serve_waiting_streams(Connection &up);
    void serve_waiting_of(Connection &waited_for, Connection &up);
    void fail_waiting(Connection &up, Reason reason);
    void attach_stream(Exchange &exchange, Connection &up);
    void detach_stream(Exchange &exchange, Connection &up, bool whole);
    void stream_response(Exchange &exchange, http1::Bytes text, const http1::ResponseHead &head);
    void stream_response_content(Exchange &exchange, std::string_view part);
    void stream_response_ended(Exchange &exchange, http1::Bytes trailers);
    void endpoint_stream_closed(Exchange &exchange, Reason why);
    void pass_held_stream(Exchange &exchange);
    void drop_held(Exchange &exchange);
    void drain_sessions(const std::function<bool(const PoolKey &)> &match);

    // --- attempt ---
    Exchange &new_exchange(Connection &down);
    Exchange &begin_exchange(Connection &down);
    void set_state(Exchange &exchange, ExchangeState state);
    void ask(Exchange &exchange);
    void forward(Exchange &exchange, const Verdict &verdict);
    bool render_request(Exchange &exchange, const Verdict &verdict);
    void start_attempt(Exchange &exchange);
    void attach(Exchange &exchange, Connection &up, bool reused);
    void fail_attempt(Exchange &exchange, Reason reason, bool not_sent);
    bool may_ask(const Exchange &exchange, bool not_sent) const;
    void detach_upstream(Exchange &exchange, bool keep);
    void complete_attempt(Exchange &exchange, Reason reason);
    void abort_exchange(Exchange &exchange, Reason reason, bool reset);
    void end_exchange(Exchange &exchange, Reason reason);

    // --- upstream ---
    void step_responses(Connection &up);
    size_t consume_responses(Connection &up, std::string_view bytes);
    size_t consume_response_head(Connection &up, Exchange &exchange, std::string_view bytes);
    bool hold_response(Exchange &exchange, http1::Bytes bytes);
    static bool has_content(const Exchange &exchange);
    void begin_response(Exchange &exchange, http1::Bytes bytes);
    bool write_response(Exchange &exchange, http1::Bytes bytes, const http1::ResponseRewrite &rewrite);
    size_t forward_response_body(Connection &up, Exchange &exchange, std::string_view bytes);
    size_t forward_response_chunks(Connection &up, Exchange &exchange, std::string_view bytes);
    void finish_response(Exchange &exchange, http1::Bytes trailers);
    void finish_exchange(Exchange &exchange, Reason reason);
    void responses_ended(Connection &up, Reason why);
    void pass_held(Exchange &exchange);

    // --- early-answer ---
    static bool may_outlast(const Exchange &exchange);
    bool outlasts_answer(const Exchange &exchange);
    void outlast_answer(Exchange &exchange);
    void end_answered(Exchange &exchange, Reason reason);
    void outlive_stream(Exchange &exchange);
    void end_outliving(Connection &down, Reason reason);

    // --- reply ---
    void reply_reason(Exchange &exchange, Reason reason);
    void reply_verdict(Exchange &exchange, const Verdict &verdict);
    void send_reply(Exchange &exchange, const http1::LocalReply &reply, Reason reason);

    // --- tunnel ---
    void open_tunnel(Connection &down, const Verdict &verdict);
    void link_tunnel(Connection &down, Connection &up);
    void step_tunnel(Connection &connection);
    void tunnel_half_closed(Connection &connection);
    void end_tunnel_if_done(Connection &connection);
    void end_tunnel(Connection &connection, Reason reason, bool reset);
    void tunnel_failed(Connection &down, Reason reason);
    void complete_tunnel_attempt(const Connection &down, Reason reason);

    // --- dial ---
    std::optional<PoolKey> resolve(const Connection &down, uint32_t endpoint) const;
    Connection *take_idle(Connection &down, const PoolKey &key);
    void keep_idle(Connection &up, Connection *down);
    void bind(Connection &down, Connection &up);
    void unbind(Connection &up);
    void close_bound(Connection &down, Reason reason);
    Connection &new_upstream(Connection &down, const PoolKey &key, uint32_t endpoint, tls::Alpn alpn);
    void dial(Connection &up);
    void start_connect(Connection &up, int descriptor);
    void check_connect(Connection &up);
    void connected(Connection &up);
    void ready_to_use(Connection &up);
    Reason may_dial(const Connection &down, uint32_t endpoint, PoolKey &key);
    void connect_failed(Connection &up, Reason reason);
    void note_stock(Workload &workload, Family family);
    void serve_waiting(Workload &workload, Family family);

    // --- decide ---
    bool decide();
    uint32_t fill_rows();
    bool fill_row(uint32_t row, const Question &question);
    void fill_connection(uint32_t row, const Connection &connection);
    bool fill_peer(uint32_t row, const Connection &down);
    bool fill_request(uint32_t row, const Exchange &exchange);
    void fill_headers(uint32_t row, const Exchange &exchange, char *&text);
    uint32_t fill_completions();
    void apply_verdicts(uint32_t rows, bool failed);
    void apply_to_connection(Connection &down, const Verdict &verdict);
    void begin_http(Connection &down);
    void apply_to_exchange(Exchange &exchange, const Verdict &verdict);
    void park_connection(Connection &down, const Verdict &verdict);
    void park_exchange(Exchange &exchange, const Verdict &verdict);
    void complete(const Completion &completion) { completions_.push(completion); }

    // --- manage ---
    Workload *find_workload(uint32_t name);
    Workload &workload_of(const Connection &connection) { return *workloads_.get(connection.workload); }
    Connection *downstream_of(const Exchange &exchange) { return connections_.get(exchange.downstream); }
    Connection *upstream_of(const Exchange &exchange) { return connections_.get(exchange.upstream); }
    void forget_workload_if_unused(Workload &workload);
    void expire_workloads();
    bool is_draining_idle(const Connection &connection) const;

    /// What deciding and starting a request costs its workload in the round robin, in bytes worth of time.
    static constexpr int64_t row_cost = 4096;

    Host &host_;
    const EngineLimits limits_;
    const NoteMap notes_;
    int epoll_ = -1;
    uint64_t now_us_;
    uint64_t now_ms_;

    BlockPool blocks_;
    TimerWheel wheel_;
    Slab<Workload> workloads_;
    Slab<Listener> listeners_;
    Slab<Connection> connections_;
    Slab<Exchange> exchanges_;
    std::unordered_map<uint32_t, Handle> workload_names_;
    std::vector<Endpoint> endpoints_;
    PeerNumbers peers_;
    UpstreamPool upstream_;
    UpstreamPool sessions_; // outbound HTTP/2 connections that take new streams
    TicketCache tickets_;
    uint64_t ticket_epoch_ = 0; // grows with forget_tickets()
    DefinitionTable<http1::Edit> edits_;
    DefinitionTable<http1::Reply> replies_;
    DefinitionTable<StatusSet> status_sets_;

    struct WantedHeader {
        std::string name;
        uint32_t hash;
    };
    std::vector<WantedHeader> wanted_;
    uint64_t wanted_filter_ = 0;

    Batch batch_;
    RingQueue<Question> questions_;
    std::vector<Question> asked_;
    RingQueue<Completion> completions_;
    uint64_t completions_due_ms_ = 0;

    RingQueue<Handle> ready_listeners_;
    uint64_t accept_again_ms_ = UINT64_MAX; // a listener pauses until then
    RingQueue<Handle> round_;               // workloads with ready connections
    RingQueue<Handle> modest_;              // the same, of those that go first
    uint64_t shared_until_us_ = 0;          // until then turns are short
    TurnBounds bounds_{};
    Gather gather_;
    Handle gather_target_;
    bool corking_ = false;       // small writes wait in their outbox until uncork()
    std::vector<Handle> corked_; // whose outbox
    std::unique_ptr<char[]> read_area_;
    std::unique_ptr<uint8_t[]> session_area_; // what one session sends
    RingQueue<Handle> marked_;                // sessions that may have something to send
    std::vector<std::unique_ptr<Http2End>> retired_sessions_;
    size_t waiting_streams_ = 0; // entries in all sessions' waiting queues
    /// Ciphertext: as it was read, and as it will be sent; plaintext of small pieces that share a record.
    std::unique_ptr<char[]> cipher_area_;
    std::unique_ptr<char[]> wire_area_;
    std::unique_ptr<char[]> record_area_;
    RingQueue<Handle> handshake_round_; // workloads with handshakes to do
    RingQueue<Handle> begun_;           // callers whose handshake has begun, in that order
    size_t unfinished_ = 0;
    uint64_t cost_ = 0;

    struct LowStock {
        uint32_t workload;
        Family family;
        uint32_t missing;
    };
    std::vector<LowStock> low_stock_;
    size_t parked_ = 0;
    size_t downstreams_ = 0;
    uint64_t buffered_ = 0;
    bool any_removed_ = false;
    uint32_t depth_ = 0;    // > 0 inside turn()
    bool draining_ = false; // accepts nothing, and tells clients so
    bool ending_ = false;   // and waits for nothing that is idle
    bool closed_ = false;
    uint64_t client_handshakes_ = 0, server_handshakes_ = 0, failed_handshakes_ = 0;
    uint64_t resumed_as_client_ = 0, resumed_as_server_ = 0, outdated_tickets_ = 0, misplaced_tickets_ = 0;
    size_t tls_sessions_ = 0;
    uint64_t turns_ = 0;
    uint64_t rows_ = 0;
};

} // namespace weft

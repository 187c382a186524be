// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Carries notes from the connecting socket to the accepting one, and counts. Hook: sockops at the root. Reads
 * pods, addresses, probe_ports; writes notes, notes_in_flight, probes, pod_counters. TCP_CONNECT_CB (source
 * port chosen, SYN not sent):  note -> notes_in_flight; no note -> the key is deleted, which is what makes
 * the reuse of a 4-tuple safe PASSIVE_ESTABLISHED_CB (before accept returns):     notes_in_flight -> note of
 * the accepted socket sockops cannot refuse. What fails here leaves the accepted socket without a note: the
 * engine refuses it.
 */
#include "address.h"
#include "maps.h"
#include "pod.h"

/* A socket's two ends. */
struct ends {
    struct weft_address local;
    struct weft_address remote;
};

/* The IPv4 fields also hold for v4-mapped sockets, whose own IPv6 address is not yet set when they connect.
 */
static __always_inline void read_ends(struct bpf_sock_ops *ctx, struct ends *ends) {
    volatile struct bpf_sock_ops *fields = ctx;
    __u32 family = fields->family;
    __u32 local4 = fields->local_ip4, remote4 = fields->remote_ip4;
    __u32 local6[4] = {fields->local_ip6[0], fields->local_ip6[1], fields->local_ip6[2],
                       fields->local_ip6[3]};
    __u32 remote6[4] = {fields->remote_ip6[0], fields->remote_ip6[1], fields->remote_ip6[2],
                        fields->remote_ip6[3]};

    __builtin_memset(ends, 0, sizeof *ends);
    ends->local.port = fields->local_port;
    ends->remote.port = bpf_ntohl(fields->remote_port);
    if (family == AF_INET || is_mapped_words(remote6[0], remote6[1], remote6[2])) {
        set_ip4(ends->local.ip, local4);
        set_ip4(ends->remote.ip, remote4);
    } else {
        set_ip(ends->local.ip, local6[0], local6[1], local6[2], local6[3]);
        set_ip(ends->remote.ip, remote6[0], remote6[1], remote6[2], remote6[3]);
    }
}

static __always_inline void set_flow(struct weft_flow *flow, __u64 cookie, const struct weft_address *from,
                                     const struct weft_address *to) {
    __builtin_memset(flow, 0, sizeof *flow);
    flow->netns = cookie;
    __builtin_memcpy(flow->local_ip, from->ip, sizeof flow->local_ip);
    __builtin_memcpy(flow->remote_ip, to->ip, sizeof flow->remote_ip);
    flow->local_port = from->port;
    flow->remote_port = to->port;
}

static __always_inline void set_probe(struct weft_probe *probe, const struct weft_address *client,
                                      const struct weft_address *server) {
    __builtin_memcpy(probe->client_ip, client->ip, sizeof probe->client_ip);
    __builtin_memcpy(probe->server_ip, server->ip, sizeof probe->server_ip);
    probe->client_port = client->port;
    probe->server_port = server->port;
}

static __always_inline struct weft_note *find_note(struct bpf_sock_ops *ctx) {
    struct bpf_sock *sk = ctx->sk;

    return sk ? bpf_sk_storage_get(&notes, sk, 0, 0) : NULL;
}

static __always_inline struct weft_pod_counters *find_counters(__u64 cookie) {
    return bpf_map_lookup_elem(&pod_counters, &cookie);
}

static __always_inline void add(__u64 *counter) {
    __sync_fetch_and_add(counter, 1);
}

/* A connect to a declared probe port opens the 4-tuple if the socket is a marked one, and else makes sure
 * that it is not open from an earlier probe. */
static __always_inline void follow_probe(struct bpf_sock_ops *ctx, const struct ends *ends, bool marked) {
    struct weft_probe probe;
    __u64 now;

    if (!bpf_map_lookup_elem(&probe_ports, &ends->remote))
        return;
    set_probe(&probe, &ends->local, &ends->remote);
    if (!marked) {
        bpf_map_delete_elem(&probes, &probe);
        return;
    }
    now = bpf_ktime_get_ns();
    bpf_map_update_elem(&probes, &probe, &now, BPF_ANY);
    /* Tells when the socket closes. */
    bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

static __always_inline void on_connect(struct bpf_sock_ops *ctx) {
    __u64 cookie = bpf_get_netns_cookie(ctx);
    struct weft_note *note = find_note(ctx);
    struct weft_pod_counters *counters;
    struct weft_flow flow;
    struct ends ends;

    read_ends(ctx, &ends);
    follow_probe(ctx, &ends, note && note->kind == WEFT_NOTE_PROBE);
    if (!find_pod(cookie))
        return;
    set_flow(&flow, cookie, &ends.local, &ends.remote);
    if (note && (note->kind == WEFT_NOTE_ORIGINAL_DESTINATION || note->kind == WEFT_NOTE_REAL_CLIENT))
        bpf_map_update_elem(&notes_in_flight, &flow, note, BPF_ANY);
    else
        bpf_map_delete_elem(&notes_in_flight, &flow);
    counters = find_counters(cookie);
    if (!counters)
        return;
    if (!note)
        add(&counters->direct);
    else if (note->kind == WEFT_NOTE_ORIGINAL_DESTINATION)
        add(&counters->steered);
}

/* Counts a connection that came from outside the pod. */
static __always_inline void count_arrival(__u64 cookie, const struct weft_pod *pod, const struct ends *ends) {
    struct weft_pod_counters *counters = find_counters(cookie);
    struct weft_probe probe;
    bool passed = is_open(pod);

    if (is_loopback(ends->remote.ip) || owns_address(cookie, ends->remote.ip))
        return;
    set_probe(&probe, &ends->remote, &ends->local);
    /* The handshake is done: nothing else may use the opening. */
    if (bpf_map_delete_elem(&probes, &probe) == 0)
        passed = true;
    if (counters)
        add(passed ? &counters->passed : &counters->arrived);
}

static __always_inline void on_accept(struct bpf_sock_ops *ctx) {
    __u64 cookie = bpf_get_netns_cookie(ctx);
    const struct weft_pod *pod = find_pod(cookie);
    struct bpf_sock *sk = ctx->sk;
    struct weft_note *carried, *note;
    struct weft_flow flow;
    struct ends ends;

    if (!pod || !sk)
        return;
    read_ends(ctx, &ends);
    set_flow(&flow, cookie, &ends.remote, &ends.local);
    carried = bpf_map_lookup_elem(&notes_in_flight, &flow);
    if (!carried) {
        count_arrival(cookie, pod, &ends);
        return;
    }
    note = bpf_sk_storage_get(&notes, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (note) {
        *note = *carried;
        note->accepted = 1;
    }
    bpf_map_delete_elem(&notes_in_flight, &flow);
}

static __always_inline void on_state(struct bpf_sock_ops *ctx) {
    struct weft_probe probe;
    struct ends ends;

    if (ctx->args[1] != BPF_TCP_CLOSE)
        return;
    read_ends(ctx, &ends);
    set_probe(&probe, &ends.local, &ends.remote);
    bpf_map_delete_elem(&probes, &probe);
}

SEC("sockops")
int weft_sockops(struct bpf_sock_ops *ctx) {
    switch (ctx->op) {
    case BPF_SOCK_OPS_TCP_CONNECT_CB:
        on_connect(ctx);
        break;
    case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
        on_accept(ctx);
        break;
    case BPF_SOCK_OPS_STATE_CB:
        on_state(ctx);
        break;
    }
    return 1;
}

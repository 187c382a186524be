// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What sockets say about themselves. Hooks: cgroup/getpeername4|6 and cgroup/getsockname4|6 at the root;
 * accept() asks getpeername too. Reads notes, pods. Never fails: without a note the kernel's own answer
 * stands. application's socket, steered:   peer = the address it asked for, own address = the pod's
 *   application's accepted socket:   peer = the real client
 *   agent's accepted socket:         peer = the pod's address in place of loopback
 */
#include "address.h"
#include "maps.h"
#include "pod.h"
#include "refuse.h"

static __always_inline struct weft_note *find_note(struct bpf_sock_addr *ctx) {
    struct bpf_sock *sk = ctx->sk;

    return sk ? bpf_sk_storage_get(&notes, sk, 0, 0) : NULL;
}

static __always_inline bool is_steered(const struct weft_note *note) {
    return note && note->kind == WEFT_NOTE_ORIGINAL_DESTINATION && !note->accepted;
}

/* The peer to show in place of the real one. */
static __always_inline bool names_peer(const struct weft_note *note) {
    return is_steered(note) || (note && note->kind == WEFT_NOTE_REAL_CLIENT && note->accepted);
}

static __always_inline bool is_agents_accepted(const struct weft_note *note) {
    return note && note->kind == WEFT_NOTE_ORIGINAL_DESTINATION && note->accepted;
}

/* The pod's own address where the socket shows loopback, which only the steering made it use. */
static __always_inline void show_pod4(struct bpf_sock_addr *ctx) {
    const struct weft_pod *pod;

    if ((ctx->user_ip4 & bpf_htonl(0xff000000)) != bpf_htonl(0x7f000000))
        return;
    pod = find_pod(bpf_get_netns_cookie(ctx));
    if (pod && is_mapped(pod->address4))
        ctx->user_ip4 = ip_word(pod->address4, 3);
}

static __always_inline void set_user_ip6(struct bpf_sock_addr *ctx, const weft_u8 *ip) {
    ctx->user_ip6[0] = ip_word(ip, 0);
    ctx->user_ip6[1] = ip_word(ip, 1);
    ctx->user_ip6[2] = ip_word(ip, 2);
    ctx->user_ip6[3] = ip_word(ip, 3);
}

static __always_inline void show_pod6(struct bpf_sock_addr *ctx) {
    const struct weft_pod *pod;
    weft_u8 ip[16];

    set_ip(ip, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
    if (!is_loopback(ip))
        return;
    pod = find_pod(bpf_get_netns_cookie(ctx));
    if (!pod)
        return;
    if (is_mapped(ip) && is_mapped(pod->address4))
        set_user_ip6(ctx, pod->address4);
    else if (!is_mapped(ip) && !is_unspecified(pod->address6))
        set_user_ip6(ctx, pod->address6);
}

SEC("cgroup/getpeername4")
int weft_getpeername4(struct bpf_sock_addr *ctx) {
    const struct weft_note *note = find_note(ctx);

    if (names_peer(note)) {
        ctx->user_ip4 = ip_word(note->address.ip, 3);
        ctx->user_port = bpf_htons(note->address.port);
    } else if (is_agents_accepted(note)) {
        show_pod4(ctx);
    }
    return CGROUP_PASS;
}

SEC("cgroup/getpeername6")
int weft_getpeername6(struct bpf_sock_addr *ctx) {
    const struct weft_note *note = find_note(ctx);

    if (names_peer(note)) {
        set_user_ip6(ctx, note->address.ip);
        ctx->user_port = bpf_htons(note->address.port);
    } else if (is_agents_accepted(note)) {
        show_pod6(ctx);
    }
    return CGROUP_PASS;
}

SEC("cgroup/getsockname4")
int weft_getsockname4(struct bpf_sock_addr *ctx) {
    if (is_steered(find_note(ctx)))
        show_pod4(ctx);
    return CGROUP_PASS;
}

SEC("cgroup/getsockname6")
int weft_getsockname6(struct bpf_sock_addr *ctx) {
    if (is_steered(find_note(ctx)))
        show_pod6(ctx);
    return CGROUP_PASS;
}

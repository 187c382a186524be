// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Outbound. Hooks: cgroup/connect4 and cgroup/connect6, at the pods' cgroup and at the root (an attempt may
 * meet them twice; the note makes the second a no-op). Reads pods, addresses, destinations, rules; writes
 * notes, refusals. In an enrolled namespace: TCP is steered to the pod's outbound listener, passed or
 * refused; UDP is passed or refused. Every failure refuses (EPERM) and is counted.
 */
#include "address.h"
#include "maps.h"
#include "pod.h"
#include "policy.h"
#include "refuse.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define LOOPBACK_IFINDEX 1

/* Steering ends so: where to, or nowhere. */
enum outcome { REFUSED = CGROUP_REFUSE, PASSED = CGROUP_PASS, STEERED };

static __always_inline __u32 mix(__u32 hash, __u32 word) {
    hash = (hash ^ word) * 0x9e3779b1;
    return hash ^ (hash >> 15);
}

static __always_inline __u32 hash_address(const struct weft_address *address) {
    __u32 hash = address->port;

    for (int word = 0; word < 4; word++)
        hash = mix(hash, ip_word(address->ip, word));
    return hash;
}

/*
 * Where a destination is steered to. Different destinations get different targets, so that the pod keeps a
 * space of 4-tuples per destination as without a mesh: 127.128.0.0/9 for IPv4, several ports of ::1 for IPv6.
 * A socket bound to a device cannot reach loopback: its target is the pod's own address. False where the pod
 * has no such listener.
 */
static __always_inline bool choose_target(const struct weft_pod *pod, const struct weft_address *destination,
                                          __u32 device, struct weft_address *target) {
    __u32 hash = hash_address(destination);
    bool own = device > LOOPBACK_IFINDEX;

    __builtin_memset(target, 0, sizeof *target);
    if (is_mapped(destination->ip)) {
        /* 127.255.255.255 is loopback's broadcast address. */
        __u32 low = (hash & 0x7fffff) == 0x7fffff ? 0 : hash & 0x7fffff;

        target->port = pod->outbound_port4;
        if (own)
            __builtin_memcpy(target->ip, pod->address4, sizeof target->ip);
        else
            set_ip4(target->ip, bpf_htonl(0x7f800000 | low));
    } else {
        target->port = pod->outbound_ports6[hash % WEFT_OUTBOUND_PORTS6];
        if (own)
            __builtin_memcpy(target->ip, pod->address6, sizeof target->ip);
        else
            set_ip(target->ip, 0, 0, 0, bpf_htonl(1));
    }
    return target->port != 0 && !is_unspecified(target->ip);
}

static __always_inline bool is_same(const struct weft_address *a, const struct weft_address *b) {
    return a->port == b->port && ip_equal(a->ip, b->ip);
}

/* Forgets what an earlier connect() of the same socket noted. */
static __always_inline int pass_without_note(struct bpf_sock *sk, const struct weft_note *note) {
    if (note)
        bpf_sk_storage_delete(&notes, sk);
    return PASSED;
}

static __always_inline bool is_denied_for(const struct weft_pod *pod,
                                          const struct weft_address *destination) {
    return is_denied(pod->group, group_of(destination->ip), destination->port);
}

static __always_inline int steer(struct bpf_sock *sk, const struct weft_address *destination) {
    struct weft_note *note = bpf_sk_storage_get(&notes, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

    if (!note)
        return refuse(WEFT_KERNEL_NOTE_FAILED);
    note->kind = WEFT_NOTE_ORIGINAL_DESTINATION;
    note->accepted = 0;
    note->address = *destination;
    return STEERED;
}

/* Decides one TCP connect of an enrolled pod; `target` is filled where the outcome is STEERED. */
static __always_inline int decide_connect(struct bpf_sock *sk, const struct weft_pod *pod, __u64 cookie,
                                          const struct weft_address *destination,
                                          struct weft_address *target) {
    struct weft_note *note = bpf_sk_storage_get(&notes, sk, 0, 0);
    const struct weft_destination *range;
    bool own;

    if (note && (note->kind == WEFT_NOTE_AGENT || note->kind == WEFT_NOTE_REAL_CLIENT))
        return PASSED;
    /* Steered by this program at a cgroup below: as if the noted address were asked for again. */
    if (note && note->kind == WEFT_NOTE_ORIGINAL_DESTINATION &&
        choose_target(pod, &note->address, sk->bound_dev_if, target) && is_same(target, destination))
        return is_denied_for(pod, &note->address) ? refuse(WEFT_KERNEL_L4_DENIED) : PASSED;
    if (is_agent_range(destination->ip))
        return refuse(WEFT_KERNEL_AGENT_ADDRESS_DENIED);
    own = is_loopback(destination->ip) || is_unspecified(destination->ip) ||
          owns_address(cookie, destination->ip);
    if (own)
        return is_agent_port(pod, destination->port) ? refuse(WEFT_KERNEL_AGENT_ADDRESS_DENIED)
                                                     : pass_without_note(sk, note);
    range = find_destination(destination->ip);
    if (range && is_denied(pod->group, range->group, destination->port))
        return refuse(WEFT_KERNEL_L4_DENIED);
    if (!range || range->action == WEFT_DIRECT)
        return pass_without_note(sk, note);
    if (range->action == WEFT_DENY)
        return refuse(WEFT_KERNEL_RANGE_DENIED);
    if (is_open(pod))
        return pass_without_note(sk, note);
    if (!choose_target(pod, destination, sk->bound_dev_if, target))
        return refuse(WEFT_KERNEL_NO_OUTBOUND_LISTENER);
    return steer(sk, destination);
}

static __always_inline int decide(struct bpf_sock_addr *ctx, const struct weft_address *destination,
                                  struct weft_address *target) {
    __u64 cookie = bpf_get_netns_cookie(ctx);
    const struct weft_pod *pod = find_pod(cookie);
    struct bpf_sock *sk = ctx->sk;

    if (!pod)
        return PASSED;
    if (ctx->protocol == IPPROTO_UDP) {
        bool denied = (pod->flags & WEFT_POD_UDP_DENY) && !is_loopback(destination->ip);

        return denied ? refuse(WEFT_KERNEL_UDP_DENIED) : PASSED;
    }
    if (ctx->protocol != IPPROTO_TCP)
        return PASSED;
    if (!sk)
        return refuse(WEFT_KERNEL_NOTE_FAILED);
    return decide_connect(sk, pod, cookie, destination, target);
}

SEC("cgroup/connect4")
int weft_connect4(struct bpf_sock_addr *ctx) {
    struct weft_address destination = {.port = bpf_ntohs(ctx->user_port)};
    struct weft_address target;
    int outcome;

    set_ip4(destination.ip, ctx->user_ip4);
    outcome = decide(ctx, &destination, &target);
    if (outcome != STEERED)
        return outcome;
    ctx->user_ip4 = ip_word(target.ip, 3);
    ctx->user_port = bpf_htons(target.port);
    return CGROUP_PASS;
}

SEC("cgroup/connect6")
int weft_connect6(struct bpf_sock_addr *ctx) {
    struct weft_address destination = {.port = bpf_ntohs(ctx->user_port)};
    struct weft_address target;
    int outcome;

    set_ip(destination.ip, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
    outcome = decide(ctx, &destination, &target);
    if (outcome != STEERED)
        return outcome;
    ctx->user_ip6[0] = ip_word(target.ip, 0);
    ctx->user_ip6[1] = ip_word(target.ip, 1);
    ctx->user_ip6[2] = ip_word(target.ip, 2);
    ctx->user_ip6[3] = ip_word(target.ip, 3);
    ctx->user_port = bpf_htons(target.port);
    return CGROUP_PASS;
}

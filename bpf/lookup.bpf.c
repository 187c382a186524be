// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Inbound. Hook: sk_lookup, attached to each enrolled namespace. Runs for TCP packets that no connection
 * claims. Reads addresses, pods, probes, destinations, rules, listeners; writes probes, refusals. Local
 * connections and running probes pass to the application; all others go to the pod's inbound listener. Every
 * failure drops (the peer gets a reset) and is counted.
 */
#include "address.h"
#include "maps.h"
#include "pod.h"
#include "policy.h"
#include "refuse.h"

#define IPPROTO_TCP 6
#define LOOPBACK_IFINDEX 1

struct arrival {
    struct weft_address local;
    struct weft_address remote;
};

static __always_inline void read_arrival(struct bpf_sk_lookup *ctx, struct arrival *arrival) {
    volatile struct bpf_sk_lookup *fields = ctx;
    __u32 family = fields->family;
    __u32 local4 = fields->local_ip4, remote4 = fields->remote_ip4;
    __u32 local6[4] = {fields->local_ip6[0], fields->local_ip6[1], fields->local_ip6[2],
                       fields->local_ip6[3]};
    __u32 remote6[4] = {fields->remote_ip6[0], fields->remote_ip6[1], fields->remote_ip6[2],
                        fields->remote_ip6[3]};

    __builtin_memset(arrival, 0, sizeof *arrival);
    arrival->local.port = fields->local_port;
    arrival->remote.port = bpf_ntohs(fields->remote_port);
    if (family == AF_INET) {
        set_ip4(arrival->local.ip, local4);
        set_ip4(arrival->remote.ip, remote4);
    } else {
        set_ip(arrival->local.ip, local6[0], local6[1], local6[2], local6[3]);
        set_ip(arrival->remote.ip, remote6[0], remote6[1], remote6[2], remote6[3]);
    }
}

static __always_inline int drop(enum weft_reason reason) {
    count_refusal(reason);
    return SK_DROP;
}

/* Whether this is the 4-tuple of a probe whose handshake runs. */
static __always_inline bool is_probe(const struct arrival *arrival) {
    struct weft_probe key;
    const __u64 *started;

    __builtin_memcpy(key.client_ip, arrival->remote.ip, sizeof key.client_ip);
    __builtin_memcpy(key.server_ip, arrival->local.ip, sizeof key.server_ip);
    key.client_port = arrival->remote.port;
    key.server_port = arrival->local.port;
    started = bpf_map_lookup_elem(&probes, &key);
    if (!started)
        return false;
    if (bpf_ktime_get_ns() - *started <= WEFT_PROBE_LIFETIME_MS * 1000000ULL)
        return true;
    bpf_map_delete_elem(&probes, &key);
    count_refusal(WEFT_KERNEL_PROBE_EXPIRED);
    return false;
}

static __always_inline int assign_listener(struct bpf_sk_lookup *ctx, const weft_u8 *ip) {
    struct bpf_sock *listener = bpf_map_lookup_elem(&listeners, ip);
    long error;

    if (!listener)
        return drop(WEFT_KERNEL_NO_INBOUND_LISTENER);
    error = bpf_sk_assign(ctx, listener, 0);
    bpf_sk_release(listener);
    return error ? drop(WEFT_KERNEL_STEER_FAILED) : SK_PASS;
}

SEC("sk_lookup")
int weft_lookup(struct bpf_sk_lookup *ctx) {
    struct arrival arrival;
    const struct weft_pod *pod;
    const __u64 *owner;

    if (ctx->protocol != IPPROTO_TCP || ctx->ingress_ifindex == LOOPBACK_IFINDEX)
        return SK_PASS;
    read_arrival(ctx, &arrival);
    if (is_loopback(arrival.remote.ip) || ip_equal(arrival.remote.ip, arrival.local.ip))
        return SK_PASS;
    owner = bpf_map_lookup_elem(&addresses, arrival.local.ip);
    pod = owner ? find_pod(*owner) : NULL;
    if (!pod)
        return drop(WEFT_KERNEL_NO_INBOUND_LISTENER);
    if (owns_address(*owner, arrival.remote.ip))
        return SK_PASS;
    if (is_agent_port(pod, arrival.local.port))
        return assign_listener(ctx, arrival.local.ip);
    if (is_probe(&arrival))
        return SK_PASS;
    if (is_denied(group_of(arrival.remote.ip), pod->group, arrival.local.port))
        return drop(WEFT_KERNEL_INBOUND_L4_DENIED);
    if (is_open(pod))
        return SK_PASS;
    return assign_listener(ctx, arrival.local.ip);
}

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Kubelet's probes. Hooks: cgroup/connect4 and cgroup/connect6 at kubelet's cgroup alone. Reads probe_ports;
 * writes notes. Marks a socket that connects to a declared probe port; sockops opens its 4-tuple. Never
 * refuses: a probe that cannot be marked is handed to the agent like any other connection.
 */
#include "address.h"
#include "maps.h"
#include "refuse.h"

static __always_inline int mark(struct bpf_sock *sk, const struct weft_address *destination) {
    struct weft_note *note;

    if (!sk)
        return CGROUP_PASS;
    if (!bpf_map_lookup_elem(&probe_ports, destination)) {
        note = bpf_sk_storage_get(&notes, sk, 0, 0);
        if (note && note->kind == WEFT_NOTE_PROBE)
            bpf_sk_storage_delete(&notes, sk);
        return CGROUP_PASS;
    }
    note = bpf_sk_storage_get(&notes, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (note)
        note->kind = WEFT_NOTE_PROBE;
    return CGROUP_PASS;
}

SEC("cgroup/connect4")
int weft_probe4(struct bpf_sock_addr *ctx) {
    struct weft_address destination = {.port = bpf_ntohs(ctx->user_port)};

    set_ip4(destination.ip, ctx->user_ip4);
    return mark(ctx->sk, &destination);
}

SEC("cgroup/connect6")
int weft_probe6(struct bpf_sock_addr *ctx) {
    struct weft_address destination = {.port = bpf_ntohs(ctx->user_port)};

    set_ip(destination.ip, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
    return mark(ctx->sk, &destination);
}

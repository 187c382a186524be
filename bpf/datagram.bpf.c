// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * UDP without connect(). Hooks: cgroup/sendmsg4 and cgroup/sendmsg6 at the root. Reads pods; writes refusals.
 * Refuses (EPERM) where the pod's UDP is denied and the destination is not loopback.
 */
#include "address.h"
#include "maps.h"
#include "pod.h"
#include "refuse.h"

static __always_inline int decide(struct bpf_sock_addr *ctx, const weft_u8 *ip) {
    const struct weft_pod *pod = find_pod(bpf_get_netns_cookie(ctx));

    if (!pod || !(pod->flags & WEFT_POD_UDP_DENY) || is_loopback(ip))
        return CGROUP_PASS;
    return refuse(WEFT_KERNEL_UDP_DENIED);
}

SEC("cgroup/sendmsg4")
int weft_sendmsg4(struct bpf_sock_addr *ctx) {
    weft_u8 ip[16];

    set_ip4(ip, ctx->user_ip4);
    return decide(ctx, ip);
}

SEC("cgroup/sendmsg6")
int weft_sendmsg6(struct bpf_sock_addr *ctx) {
    weft_u8 ip[16];

    set_ip(ip, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
    return decide(ctx, ip);
}

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Questions about an enrolled pod. */
#ifndef WEFT_BPF_POD_H
#define WEFT_BPF_POD_H

#include "address.h"
#include "maps.h"

static __always_inline struct weft_pod *find_pod(__u64 cookie) {
    return bpf_map_lookup_elem(&pods, &cookie);
}

/* Whether the address belongs to the pod with this netns cookie. */
static __always_inline bool owns_address(__u64 cookie, const weft_u8 *ip) {
    const __u64 *owner = bpf_map_lookup_elem(&addresses, ip);

    return owner && *owner == cookie;
}

/* Whether connections pass by the proxy because it is gone and the pod asked for that. */
static __always_inline bool is_open(const struct weft_pod *pod) {
    return (pod->flags & (WEFT_POD_FAIL_OPEN | WEFT_POD_PROXY_GONE)) ==
           (WEFT_POD_FAIL_OPEN | WEFT_POD_PROXY_GONE);
}

/* Whether one of the agent's listeners in the pod's namespace has this port. */
static __always_inline bool is_agent_port(const struct weft_pod *pod, __u16 port) {
    if (port == 0)
        return false;
    if (port == pod->outbound_port4 || port == pod->inbound_port4 || port == pod->inbound_port6)
        return true;
    for (int at = 0; at < WEFT_OUTBOUND_PORTS6; at++)
        if (port == pod->outbound_ports6[at])
            return true;
    return false;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* L4 rules and destination prefixes. */
#ifndef WEFT_BPF_POLICY_H
#define WEFT_BPF_POLICY_H

#include "maps.h"

static __always_inline const struct weft_destination *find_destination(const weft_u8 *ip) {
    struct weft_prefix key = {.bits = 128};

    __builtin_memcpy(key.ip, ip, sizeof key.ip);
    return bpf_map_lookup_elem(&destinations, &key);
}

static __always_inline __u32 group_of(const weft_u8 *ip) {
    const struct weft_destination *found = find_destination(ip);

    return found ? found->group : 0;
}

/* The verdict of one entry, 0 where it is not there. */
static __always_inline __u32 find_rule(__u32 destination, __u32 source, __u16 port) {
    struct weft_rule key = {.destination = destination, .source = source, .port = port};
    const __u32 *verdict = bpf_map_lookup_elem(&rules, &key);

    return verdict ? *verdict : 0;
}

/* Order: (source, port), (source, any), (any, port), (any, any). A destination without a group has no rules.
 */
static __always_inline bool is_denied(__u32 source, __u32 destination, __u16 port) {
    __u32 verdict = 0;

    if (destination == 0)
        return false;
    if (source != 0) {
        verdict = find_rule(destination, source, port);
        if (verdict == 0)
            verdict = find_rule(destination, source, 0);
    }
    if (verdict == 0)
        verdict = find_rule(destination, 0, port);
    if (verdict == 0)
        verdict = find_rule(destination, 0, 0);
    return verdict == WEFT_VERDICT_DENY;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef WEFT_BPF_REFUSE_H
#define WEFT_BPF_REFUSE_H

#include "maps.h"

/* Verdicts of cgroup programs. */
enum {
    CGROUP_REFUSE = 0, /* the system call fails with EPERM */
    CGROUP_PASS = 1,
};

/* Counts a refusal by its name in the registry. */
static __always_inline void count_refusal(enum weft_reason reason) {
    __u32 slot = reason;
    __u64 *count = bpf_map_lookup_elem(&refusals, &slot);

    if (count)
        *count += 1;
}

/* Refuses a connect or sendmsg. Every attached program runs even after one refused, so that an attempt which
 * meets weft at the pods' cgroup and again at the root is counted once. */
static __always_inline int refuse(enum weft_reason reason) {
    if (bpf_get_retval() == 0)
        count_refusal(reason);
    return CGROUP_REFUSE;
}

#endif

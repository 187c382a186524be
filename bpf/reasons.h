/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Generated from reasons/registry.json by scripts/generate-reasons.mjs; do not edit. */
#ifndef WEFT_REASONS_H
#define WEFT_REASONS_H

/* Index into the counters map: one slot per refusal that the kernel programs can make. */
enum weft_reason {
    /* an L4 rule denies this source, destination and port; connect() returned EPERM */
    WEFT_KERNEL_L4_DENIED = 1,
    /* the pod is enrolled but has no outbound listener */
    WEFT_KERNEL_NO_OUTBOUND_LISTENER = 2,
    /* the original destination could not be stored with the socket */
    WEFT_KERNEL_NOTE_FAILED = 3,
    /* the destination lies in a range that the mesh denies */
    WEFT_KERNEL_RANGE_DENIED = 4,
    /* UDP is denied for this pod */
    WEFT_KERNEL_UDP_DENIED = 5,
    /* a connection arrived for an enrolled pod that has no inbound listener */
    WEFT_KERNEL_NO_INBOUND_LISTENER = 6,
    /* a probe's bypass was older than two seconds */
    WEFT_KERNEL_PROBE_EXPIRED = 7,
    /* an L4 rule denies this source on arrival */
    WEFT_KERNEL_INBOUND_L4_DENIED = 8,
    /* a pod tried to reach the agent's own listener directly */
    WEFT_KERNEL_AGENT_ADDRESS_DENIED = 9,
    /* the listener refused to take the connection */
    WEFT_KERNEL_STEER_FAILED = 10,
    WEFT_REASON_SLOTS = 64,
};

#endif

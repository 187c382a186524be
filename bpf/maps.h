/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every map: declared for the programs, defined once by maps.bpf.c. Formats are in abi.h. "capture" is the
 * privileged process; what user space writes it writes whole, so a reader sees the old or the new value.
 */
#ifndef WEFT_MAPS_H
#define WEFT_MAPS_H

#include "abi.h"
#include "reasons.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#ifdef WEFT_DEFINE_MAPS
#define WEFT_MAP
#else
#define WEFT_MAP extern
#endif

/* Writers: connect4|6, sockops, capture, the engine. Readers: sockops, getpeername, getsockname, the engine.
 * Cannot be full; where memory is short the connect is refused (kernel_note_failed). */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct weft_note);
} notes SEC(".maps");

/* Enrolled pods by netns cookie. Writer: capture. Readers: all programs but sk_lookup. Full: enrolment is
 * refused. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct weft_pod);
} pods SEC(".maps");

/* Names of enrolled pods by netns cookie; no program reads it. Writer and reader: capture. Full: enrolment is
 * refused. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct weft_workload);
} workloads SEC(".maps");

/* Counters of enrolled pods by netns cookie. Created by capture, counted by sockops (atomic adds). */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct weft_pod_counters);
} pod_counters SEC(".maps");

/* The netns cookie that owns each address (16 bytes) of each enrolled pod. Writer: capture. Readers:
 * connect4|6, sockops, sk_lookup. Full: enrolment is refused. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct weft_ip);
    __type(value, __u64);
} addresses SEC(".maps");

/* Inbound listeners by the pod's address (16 bytes). Writer: capture; the kernel removes a listener that is
 * closed. Reader: sk_lookup. No entry: the connection is dropped (kernel_no_inbound_listener). */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_SOCKHASH);
    __uint(max_entries, 16384);
    __type(key, struct weft_ip);
    __type(value, __u64);
} listeners SEC(".maps");

/* What happens to destinations; no entry is WEFT_DIRECT without a group. Writer: capture. Readers:
 * connect4|6, sk_lookup (the source's group). Full: the rules are refused and the last good ones stay. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 262144);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct weft_prefix);
    __type(value, struct weft_destination);
} destinations SEC(".maps");

/* L4 rules; value enum weft_verdict. Writer: capture. Readers: connect4|6, sk_lookup. Full: as destinations.
 */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct weft_rule);
    __type(value, __u32);
} rules SEC(".maps");

/* Notes between the connecting socket's SYN and the accepting one's handshake. Writer and reader: sockops.
 * When full the oldest goes: its connection is refused by the engine (no_original_destination). */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct weft_flow);
    __type(value, struct weft_note);
} notes_in_flight SEC(".maps");

/* Ports that probes may reach directly, by address; the value is 1. Writer: capture. Readers: probe, sockops.
 */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct weft_address);
    __type(value, __u32);
} probe_ports SEC(".maps");

/* Probes that are connecting, with the time of their SYN (bpf_ktime_get_ns). Writer: sockops. Reader:
 * sk_lookup. When full the oldest goes: that probe is handed to the agent like any other connection. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct weft_probe);
    __type(value, __u64);
} probes SEC(".maps");

/* One slot per enum weft_reason. Writer: every program that refuses. Reader: capture. */
WEFT_MAP struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, WEFT_REASON_SLOTS);
    __type(key, __u32);
    __type(value, __u64);
} refusals SEC(".maps");

#endif

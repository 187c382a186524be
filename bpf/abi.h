/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one contract between the kernel programs and user space: every struct that crosses in a map.
 * Plain fixed-width types only, no implicit padding, so that C, C++ and the generated TypeScript layout agree
 * (agent/capture/abi-layout.ts, by bpf/generate-layout).
 * Addresses are 16 bytes in network order, IPv4 as v4-mapped (::ffff:a.b.c.d). Ports are in host order.
 */
#ifndef WEFT_ABI_H
#define WEFT_ABI_H

#ifdef __cplusplus
#include <cstdint>
typedef uint8_t weft_u8;
typedef uint16_t weft_u16;
typedef uint32_t weft_u32;
typedef uint64_t weft_u64;
#else
#include <linux/types.h>
typedef __u8 weft_u8;
typedef __u16 weft_u16;
typedef __u32 weft_u32;
typedef __u64 weft_u64;
#endif

/* Sizes and versions; an enum so that the generated layout carries them. */
enum weft_limits {
    /* Grows with every incompatible change; part of the directory that links and maps are pinned under. */
    WEFT_ABI_VERSION = 1,
    /* Outbound IPv6 listeners per pod: ::1 is one address, so only the port can widen the space of 4-tuples.
     */
    WEFT_OUTBOUND_PORTS6 = 8,
    /* How long a probe's connection attempt opens its one 4-tuple. */
    WEFT_PROBE_LIFETIME_MS = 2000,
};

/* Structs that hold addresses are aligned as words, which is how the kernel programs read and compare them.
 */
#define WEFT_WORDS __attribute__((aligned(4)))

/* An address alone, as a key. */
struct weft_ip {
    weft_u8 bytes[16];
} WEFT_WORDS;

/* An address and port. */
struct weft_address {
    weft_u8 ip[16];
    weft_u16 port;
    weft_u16 reserved;
} WEFT_WORDS;

/* What a note in a socket's sk_storage says; see struct weft_note. */
enum weft_note_kind {
    WEFT_NOTE_NONE = 0,
    /* On an application's socket, then on the agent's accepted one: the address that the application asked
       for. */
    WEFT_NOTE_ORIGINAL_DESTINATION = 1,
    /* On the agent's socket towards an application, then on the application's accepted one: the real client.
     */
    WEFT_NOTE_REAL_CLIENT = 2,
    /* On a ready-made socket: it is the agent's own, so the connect hooks leave it alone. Written by capture
     * when the socket is made; the proxy may turn it into WEFT_NOTE_REAL_CLIENT before it connects. */
    WEFT_NOTE_AGENT = 3,
    /* On a socket of kubelet's cgroup that connects to a declared probe port. */
    WEFT_NOTE_PROBE = 4,
};

/*
 * The value of the sk_storage map `notes` (key: socket, by descriptor from user space).
 * Writers: connect4|6 and sockops in the kernel, capture and the proxy from user space. Readers: sockops,
 * getpeername, getsockname, the engine on accept. WEFT_NOTE_ORIGINAL_DESTINATION on an accepted socket is
 * also the loop guard: the engine refuses a connection without it (no_original_destination).
 */
struct weft_note {
    weft_u32 kind;     /* enum weft_note_kind */
    weft_u32 accepted; /* 1 where the kernel moved it to the accepting side; user space writes 0 */
    struct weft_address address;
};

enum weft_pod_flags {
    WEFT_POD_UDP_DENY = 1,
    /* The pod asked to be passed directly while the proxy is gone ... */
    WEFT_POD_FAIL_OPEN = 2,
    /* ... and capture says that it is gone longer than its grace. Both together open the pod. */
    WEFT_POD_PROXY_GONE = 4,
};

/* The value of `pods` (key: netns cookie, u64): how a namespace is captured. Writer: capture. */
struct weft_pod {
    weft_u32 flags; /* enum weft_pod_flags */
    weft_u32 group; /* L4 identity group, 0 none */
    /* The pod's first address of each family, zero where it has none: shown by getsockname in place of
     * loopback. */
    weft_u8 address4[16];
    weft_u8 address6[16];
    /* The agent's listeners in this namespace; 0 where there is none. */
    weft_u16 outbound_port4;
    weft_u16 inbound_port4;
    weft_u16 inbound_port6;
    weft_u16 reserved;
    weft_u16 outbound_ports6[WEFT_OUTBOUND_PORTS6]; /* all or none */
};

/* The value of `workloads` (key: netns cookie, u64): whose namespace it is, so that a capture that starts
 * again can tell. UTF-8, zero-filled. Writer and reader: capture. */
struct weft_workload {
    weft_u8 uid[256];
};

/* The value of `pod_counters` (key: netns cookie, u64): TCP connections, each counted once, at its handshake.
 */
struct weft_pod_counters {
    weft_u64 steered; /* opened by the pod, sent to the proxy */
    weft_u64 direct;  /* opened by the pod, went past the proxy */
    weft_u64 arrived; /* arrived and were handed to the proxy */
    weft_u64 passed;  /* arrived and were passed to the application: probes, fail-open */
};

enum weft_action {
    WEFT_DIRECT = 0, /* also where no prefix matches */
    WEFT_DENY = 1,
    WEFT_PROXY = 2,
};

/* The key of `destinations` (longest prefix match). IPv4 prefixes are 96 longer than their text. */
struct weft_prefix {
    weft_u32 bits;
    weft_u8 ip[16];
};

struct weft_destination {
    weft_u32 action; /* enum weft_action */
    weft_u32 group;  /* of the workloads at the address, 0 none */
};

/* The key of `rules`: 0 in source or port means any. The most specific entry decides; none allows. */
struct weft_rule {
    weft_u32 destination;
    weft_u32 source;
    weft_u16 port;
    weft_u16 reserved;
};

enum weft_verdict {
    WEFT_VERDICT_ALLOW = 1,
    WEFT_VERDICT_DENY = 2,
};

/* The key of `notes_in_flight`: one connection attempt, as the connecting socket sees it. */
struct weft_flow {
    weft_u64 netns;
    weft_u8 local_ip[16];
    weft_u8 remote_ip[16];
    weft_u16 local_port;
    weft_u16 remote_port;
    weft_u32 reserved;
};

/* The key of `probes`: one probe's connection attempt; the client is in another namespace than the server. */
struct weft_probe {
    weft_u8 client_ip[16];
    weft_u8 server_ip[16];
    weft_u16 client_port;
    weft_u16 server_port;
} WEFT_WORDS;

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one contract between the kernel programs and user space: every struct that crosses in a map.
 * Plain fixed-width types only, no implicit padding, so that C, C++ and the generated TypeScript layout agree.
 * Addresses are 16 bytes in network order, IPv4 as v4-mapped (::ffff:a.b.c.d). Ports are in host order unless
 * a field says otherwise.
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

/* Grows with every incompatible change; part of the directory that links and maps are pinned under. */
#define WEFT_ABI_VERSION 1

/* An address and port. */
struct weft_address {
    weft_u8 ip[16];
    weft_u16 port;
    weft_u16 reserved;
};

/* What a note in a socket's sk_storage says; see struct weft_note. */
enum weft_note_kind {
    WEFT_NOTE_NONE = 0,
    /* On an application's socket, then on the agent's accepted one: the address that the application asked for. */
    WEFT_NOTE_ORIGINAL_DESTINATION = 1,
    /* On the agent's socket towards an application, then on the application's accepted one: the real client. */
    WEFT_NOTE_REAL_CLIENT = 2,
    /* On a ready-made socket: it is the agent's own, so the connect hooks leave it alone. Written by capture when
     * the socket is made; the proxy may turn it into WEFT_NOTE_REAL_CLIENT before it connects. */
    WEFT_NOTE_AGENT = 3,
};

/*
 * The value of the sk_storage map `notes` (key: socket, by descriptor from user space).
 * Writers: connect4|6 and sockops in the kernel, capture and the proxy from user space. Readers: sockops,
 * getpeername, getsockname, the engine on accept. WEFT_NOTE_ORIGINAL_DESTINATION on an accepted socket is also the
 * loop guard: the engine refuses a connection without it (no_original_destination).
 */
struct weft_note {
    weft_u32 kind; /* enum weft_note_kind */
    weft_u32 reserved;
    struct weft_address address;
};

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Addresses as 16 bytes in network order, IPv4 as v4-mapped. */
#ifndef WEFT_BPF_ADDRESS_H
#define WEFT_BPF_ADDRESS_H

#include "abi.h"

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Not in the kernel's exported headers. */
#define AF_INET 2
#define AF_INET6 10

#define WEFT_MAPPED_PREFIX bpf_htonl(0x0000ffff)

/* Four words in network order, written one by one so that the compiler emits no unaligned access. */
static __always_inline void set_ip(weft_u8 *ip, __u32 word0, __u32 word1, __u32 word2, __u32 word3) {
    __u32 words[4] = {word0, word1, word2, word3};

    __builtin_memcpy(ip, words, sizeof words);
}

static __always_inline void set_ip4(weft_u8 *ip, __u32 word) {
    set_ip(ip, 0, 0, WEFT_MAPPED_PREFIX, word);
}

static __always_inline __u32 ip_word(const weft_u8 *ip, int word) {
    __u32 value;

    __builtin_memcpy(&value, ip + 4 * word, sizeof value);
    return value;
}

static __always_inline bool is_mapped_words(__u32 word0, __u32 word1, __u32 word2) {
    return word0 == 0 && word1 == 0 && word2 == WEFT_MAPPED_PREFIX;
}

static __always_inline bool is_mapped(const weft_u8 *ip) {
    return is_mapped_words(ip_word(ip, 0), ip_word(ip, 1), ip_word(ip, 2));
}

static __always_inline bool ip_equal(const weft_u8 *a, const weft_u8 *b) {
    return ip_word(a, 0) == ip_word(b, 0) && ip_word(a, 1) == ip_word(b, 1) &&
           ip_word(a, 2) == ip_word(b, 2) && ip_word(a, 3) == ip_word(b, 3);
}

/* ::x with the three high words zero; `word` in host order. */
static __always_inline bool is_low(const weft_u8 *ip, __u32 word) {
    return ip_word(ip, 0) == 0 && ip_word(ip, 1) == 0 && ip_word(ip, 2) == 0 &&
           ip_word(ip, 3) == bpf_htonl(word);
}

/* 127.0.0.0/8 and ::1. */
static __always_inline bool is_loopback(const weft_u8 *ip) {
    if (is_mapped(ip))
        return ip[12] == 127;
    return is_low(ip, 1);
}

/* 0.0.0.0 and ::, which connect() takes for loopback. */
static __always_inline bool is_unspecified(const weft_u8 *ip) {
    if (is_mapped(ip))
        return ip_word(ip, 3) == 0;
    return is_low(ip, 0);
}

/* 127.128.0.0/9: where connections are steered to. */
static __always_inline bool is_agent_range(const weft_u8 *ip) {
    return is_mapped(ip) && ip[12] == 127 && ip[13] >= 128;
}

#endif

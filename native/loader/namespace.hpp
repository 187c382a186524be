// SPDX-License-Identifier: Apache-2.0
//
// The pods' network namespaces: opened by name, entered and left within one call on one thread, so that no
// other code of the process ever runs inside. Everything throws KernelError.
#pragma once

#include "channel/packet-socket.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

// Names a namespace as long as it lives: device and inode of its nsfs file.
struct NamespaceId {
    uint64_t device = 0;
    uint64_t inode = 0;
    bool operator==(const NamespaceId &) const = default;
};

// Opens the namespace file `name` in the first of the folders that has it. The name is one path element;
// links, files that are no network namespace, and the machine's own namespace are refused.
Descriptor openNamespace(const std::vector<std::string> &folders, const std::string &name);

NamespaceId identifyNamespace(int netns);

// SO_NETNS_COOKIE (socket(7)): never used again until the machine restarts.
uint64_t readNamespaceCookie(int netns);

// Runs `work` inside the namespace. Ends the process where it cannot come back: nothing may go on in a pod's
// namespace.
void runInside(int netns, const std::function<void()> &work);

enum class ListenerKind { outbound4, outbound6, inbound4, inbound6 };

struct Listener {
    Descriptor fd;
    ListenerKind kind = ListenerKind::outbound4;
    uint16_t port = 0;
};

// Makes all listeners of a pod: one outbound and one inbound per family, for IPv6 WEFT_OUTBOUND_PORTS6
// outbound ones. A namespace without IPv6 gets those of IPv4 alone. Refuses a namespace whose loopback is
// down, since connections are steered through it.
//
// Outbound listeners are bound to the unspecified address, because the targets are all of 127.128.0.0/9 and,
// for sockets bound to a device, the pod's own address. Nothing reaches them without a note: connect4|6
// refuse the ports inside the pod, sk_lookup hands what arrives from outside to the inbound listener, and the
// engine refuses what has no note. No listener has SO_REUSEPORT, so nobody in the pod can join it. The
// engine sets SO_REUSEADDR on inbound ones for the sake of what they accept; a socket that listens cannot be
// bound beside all the same.
std::vector<Listener> makeListeners(int netns);

// Makes unconnected TCP sockets, each with a WEFT_NOTE_AGENT note.
std::vector<Descriptor> makeSockets(int netns, int family, size_t count, int notes_map);

} // namespace weft

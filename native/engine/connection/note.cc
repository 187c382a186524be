// SPDX-License-Identifier: Apache-2.0
#include "engine/connection/note.hpp"
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft {
namespace {

// No libbpf here: the proxy that loads this library must not even contain a way to load programs.
bool bpf_element(int command, int map, int *socket, weft_note *note) {
    bpf_attr attributes{};
    attributes.map_fd = static_cast<uint32_t>(map);
    attributes.key = reinterpret_cast<uint64_t>(socket);
    attributes.value = reinterpret_cast<uint64_t>(note);
    attributes.flags = BPF_ANY;
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes) == 0;
}

} // namespace

std::optional<Address> NoteMap::original_destination(int socket) const {
    weft_note note{};
    if (!bpf_element(BPF_MAP_LOOKUP_ELEM, descriptor_, &socket, &note) ||
        note.kind != WEFT_NOTE_ORIGINAL_DESTINATION)
        return std::nullopt;
    return Address::from_abi(note.address);
}

bool NoteMap::set_real_client(int socket, const Address &client) const {
    weft_note note{};
    note.kind = WEFT_NOTE_REAL_CLIENT;
    note.address = client.to_abi();
    return bpf_element(BPF_MAP_UPDATE_ELEM, descriptor_, &socket, &note);
}

} // namespace weft

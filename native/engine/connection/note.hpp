// SPDX-License-Identifier: Apache-2.0
// The kernel's notes about sockets (bpf/abi.h): sk_storage, read and written by descriptor with bpf(2).
#pragma once
#include "abi.h"
#include "engine/connection/address.hpp"
#include <optional>

namespace weft {

class NoteMap {
public:
    /// Does not own the descriptor; -1 where there is no kernel part (tests).
    explicit NoteMap(int descriptor) : descriptor_(descriptor) {}

    bool present() const { return descriptor_ >= 0; }
    /// The address that the application asked for; nothing where the socket carries no such note.
    std::optional<Address> original_destination(int socket) const;
    /// Tells the kernel which client the application behind `socket` shall see. Before connect().
    bool set_real_client(int socket, const Address &client) const;

private:
    int descriptor_;
};

} // namespace weft

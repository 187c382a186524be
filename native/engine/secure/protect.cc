// SPDX-License-Identifier: Apache-2.0
// TLS on a connection that flows: what read_into and flush_gather do for plaintext. Ciphertext to send goes
// through the connection's outbox like any other bytes.
#include "engine/engine.hpp"
#include <algorithm>

namespace weft {
namespace {
constexpr size_t record = tls::Session::record_bytes;
constexpr size_t wire_bytes = 5 * record;
constexpr size_t least_read = 512;
constexpr int reads_per_call = 8; // of records that hold nothing

std::span<uint8_t> room_in(char *out, size_t size) {
    return {reinterpret_cast<uint8_t *>(out), size};
}

/// How much ciphertext gives `size` bytes of plaintext at most, a part of a record that is inside already
/// included.
size_t cipher_size(size_t size) {
    return size >= 2 * record ? size - record : std::max(size, least_read);
}

IoResult ended(const tls::Session &session) {
    if (session.state() == tls::SessionState::failed)
        return {.io = Io::failed, .why = session.why()};
    return {.io = Io::end};
}
} // namespace

void Engine::protect(Connection &connection, tls::AlpnSet alpns, std::string expected) {
    if (wire_area_ == nullptr) {
        cipher_area_ = std::make_unique<char[]>(BlockPool::largest);
        wire_area_ = std::make_unique<char[]>(wire_bytes);
        record_area_ = std::make_unique<char[]>(tls::Session::record_plaintext);
    }
    connection.tls = std::make_unique<Protection>(workload_of(connection).identity, alpns,
                                                  std::move(expected), ticket_epoch_);
    ++tls_sessions_;
}

void Engine::unprotect(Connection &connection) {
    if (connection.tls == nullptr)
        return;
    connection.tls->held.clear(blocks_);
    finish_counting(*connection.tls);
    if (connection.tls->session != nullptr)
        --workload_of(connection).tls_sessions;
    connection.tls.reset();
    --tls_sessions_;
}

/// Plaintext of what is inside or comes from the wire. Reports what a read of a plain socket would: after
/// close_notify the end, and a failure for anything that TLS takes as one.
IoResult Engine::read_protected(Connection &connection, char *out, size_t size) {
    for (int reads = 0; reads < reads_per_call; ++reads) {
        bool drained = false;
        IoResult result = receive_protected(connection, out, size, drained);
        const bool over = !connection.tls->session->can_receive();
        result.more = connection.tls->holds() || !drained || over;
        if (result.io != Io::ok || result.bytes > 0)
            return result;
        if (over)
            return ended(*connection.tls->session);
        if (!result.more && !connection.hung_up)
            return {.io = Io::again};
    }
    return {.io = Io::again, .more = true};
}

/// For the next connection to the same endpoint, unless that, the identity or the policies have changed
/// meanwhile, or the workload has left: its place may be another's when the ticket is used.
void Engine::keep_ticket(Connection &connection) {
    if (connection.role != Role::upstream)
        return;
    tls::Ticket ticket = connection.tls->session->take_ticket();
    const Workload &workload = workload_of(connection);
    const uint32_t id = connection.endpoint;
    if (ticket && connection.tls->identity == workload.identity && !workload.removed &&
        !connection.retiring && connection.tls->epoch == ticket_epoch_ && id < endpoints_.size() &&
        endpoints_[id].leads_to(connection.key))
        tickets_.give(connection.key, std::move(ticket), host_.unix_seconds());
}

/// One step: bytes that wait, else one read from the socket. No plaintext may come of it. `drained`: the
/// socket has no more now.
IoResult Engine::receive_protected(Connection &connection, char *out, size_t size, bool &drained) {
    Protection &protection = *connection.tls;
    tls::Session &session = *protection.session;
    if (!session.can_receive())
        return ended(session);
    std::string_view cipher = protection.held.view();
    const bool waited = protection.holds();
    if (!waited) {
        const size_t wanted = std::min<size_t>(cipher_size(size), BlockPool::largest);
        const IoResult got = connection.transport.read(cipher_area_.get(), wanted);
        if (got.io == Io::end)
            session.wire_ended();
        if (got.io != Io::ok)
            return got.io == Io::end ? ended(session) : got;
        drained = !got.more;
        cipher = {cipher_area_.get(), got.bytes};
    }
    const tls::Received got = session.receive(http1::bytes_of(cipher), room_in(out, size));
    send_waiting(connection);
    keep_ticket(connection);
    protection.more = got.more;
    if (waited)
        protection.held.consume(blocks_, got.consumed);
    else
        protection.held.append(blocks_, cipher.substr(got.consumed));
    return {.io = Io::ok, .bytes = got.produced};
}

/// Encrypts what was gathered, small pieces together in one record, and sends it.
void Engine::flush_protected(Connection &target) {
    size_t used = 0;  // of the wire area
    size_t small = 0; // of the record area
    bool sealed = true;
    const auto vectors = gather_.vectors();
    for (size_t i = 0; i < vectors.size() && sealed; ++i) {
        std::string_view piece{static_cast<char *>(vectors[i].iov_base), vectors[i].iov_len};
        while (!piece.empty() && sealed) {
            const bool last = i + 1 == vectors.size();
            if (small == 0 && (last || piece.size() >= tls::Session::record_plaintext)) {
                const size_t whole =
                    piece.size() - (last ? 0 : piece.size() % tls::Session::record_plaintext);
                sealed = seal(target, piece.substr(0, whole), used);
                piece.remove_prefix(whole);
                continue;
            }
            const size_t part = std::min(piece.size(), tls::Session::record_plaintext - small);
            std::memcpy(record_area_.get() + small, piece.data(), part);
            small += part;
            piece.remove_prefix(part);
            if (small == tls::Session::record_plaintext || (last && piece.empty())) {
                sealed = seal(target, {record_area_.get(), small}, used);
                small = 0;
            }
        }
    }
    put_on_wire(target, {wire_area_.get(), used});
    if (!sealed && !target.write_dead)
        write_failed(target); // the session has failed, or said goodbye
}

/// Encrypts into the wire area, which is sent whenever it is full. False where the session sends no more.
bool Engine::seal(Connection &target, std::string_view plain, size_t &used) {
    while (!plain.empty()) {
        if (wire_bytes - used < record) {
            put_on_wire(target, {wire_area_.get(), used});
            used = 0;
        }
        const tls::Sent sent = target.tls->session->send(http1::bytes_of(plain),
                                                         room_in(wire_area_.get() + used, wire_bytes - used));
        if (sent.consumed == 0 && sent.produced == 0)
            return false;
        used += sent.produced;
        plain.remove_prefix(sent.consumed);
        target.sent += sent.consumed;
        cost_ += sent.consumed;
    }
    return true;
}

/// Sends what the session says on its own account: handshakes, alerts, answers to key updates.
void Engine::send_waiting(Connection &connection) {
    tls::Session &session = *connection.tls->session;
    while (session.wants_send()) {
        const tls::Sent sent = session.send({}, room_in(wire_area_.get(), wire_bytes));
        if (sent.produced == 0)
            break;
        put_on_wire(connection, {wire_area_.get(), sent.produced});
    }
}

void Engine::put_on_wire(Connection &connection, std::string_view bytes) {
    if (bytes.empty() || connection.write_dead)
        return;
    if (connection.outbox.empty() && connection.writable) {
        const iovec vector{const_cast<char *>(bytes.data()), bytes.size()};
        const IoResult result = connection.transport.write(&vector, 1);
        if (result.io == Io::failed) {
            write_failed(connection);
            return;
        }
        connection.writable = result.bytes == bytes.size();
        bytes.remove_prefix(result.bytes);
    }
    connection.outbox.append(blocks_, bytes);
}

/// Says close_notify behind all that was sent. False where some of it waits for room.
bool Engine::say_goodbye(Connection &connection) {
    Protection *protection = connection.tls.get();
    if (protection != nullptr && protection->established && !protection->said_goodbye) {
        protection->said_goodbye = true;
        protection->session->close();
        send_waiting(connection);
    }
    return connection.outbox.empty();
}

} // namespace weft

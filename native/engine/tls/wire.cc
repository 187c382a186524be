// SPDX-License-Identifier: Apache-2.0
#include "engine/tls/wire.hpp"
#include <algorithm>
#include <cstring>

namespace weft::tls {

OwnedBioMethod Wire::make_method() {
    OwnedBioMethod method{BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "weft")};
    if (method == nullptr || BIO_meth_set_read_ex(method.get(), read_bytes) != 1 ||
        BIO_meth_set_write_ex(method.get(), write_bytes) != 1 ||
        BIO_meth_set_ctrl(method.get(), control) != 1 || BIO_meth_set_create(method.get(), create) != 1) {
        return nullptr;
    }
    return method;
}

size_t Wire::drain(std::span<uint8_t> out) {
    const size_t part = std::min(out.size(), held_.size() - drained_);
    std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(drained_), part, out.begin());
    drained_ += part;
    if (drained_ == held_.size()) {
        held_ = {}; // gives its memory back: thousands of idle connections hold nothing
        drained_ = 0;
    }
    return part;
}

int Wire::create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

int Wire::read_bytes(BIO *bio, char *out, size_t size, size_t *got) {
    auto *wire = static_cast<Wire *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const uint64_t available = std::min<uint64_t>(wire->input_.size(), wire->allowance_);
    const auto part = static_cast<size_t>(std::min<uint64_t>(size, available));
    *got = part;
    if (part == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(out, wire->input_.data(), part);
    wire->input_ = wire->input_.subspan(part);
    wire->allowance_ -= wire->allowance_ == UINT64_MAX ? 0 : part;
    return 1;
}

int Wire::write_bytes(BIO *bio, const char *bytes, size_t size, size_t *written) {
    auto *wire = static_cast<Wire *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (!wire->holds() && wire->room_.size() - wire->used_ >= size) {
        std::memcpy(wire->room_.data() + wire->used_, bytes, size);
        wire->used_ += size;
    } else if (wire->held_.size() + size <= max_held_bytes) {
        wire->held_.insert(wire->held_.end(), bytes, bytes + size);
    } else {
        return 0; // without a retry flag: the connection fails
    }
    *written = size;
    return 1;
}

long Wire::control(BIO *, int command, long, void *) {
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

} // namespace weft::tls

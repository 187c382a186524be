// SPDX-License-Identifier: Apache-2.0
#include "engine/exchange/grpc.hpp"
#include "engine/http1/parse-fields.hpp"
#include <charconv>

namespace weft::grpc {
namespace {

constexpr std::string_view status_name = "grpc-status";
constexpr size_t max_message_bytes = 256;

int16_t number_in(std::string_view text) {
    int16_t value = no_grpc_status;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : no_grpc_status;
}

} // namespace

bool is_call(const http1::RequestHead &head, http1::Bytes text) {
    constexpr std::string_view type = "application/grpc";
    const http1::Field *field = head.fields.find(http1::FieldId::content_type);
    return field != nullptr && http1::same_name(field->value.text(text).substr(0, type.size()), type);
}

int16_t status_in(const http1::ResponseHead &head, http1::Bytes text) {
    const http1::Field *field = head.fields.find(text, status_name);
    return field == nullptr ? no_grpc_status : number_in(field->value.text(text));
}

int16_t status_in(http1::Bytes trailers) {
    uint32_t at = 0;
    while (at < trailers.size()) {
        http1::Field field;
        Reason why = Reason::none;
        uint32_t next = 0;
        if (http1::parse_field_line(trailers, at, field, next, why) != http1::Line::field)
            break;
        if (http1::same_name(field.name.text(trailers), status_name))
            return number_in(field.value.text(trailers));
        at = next;
    }
    return no_grpc_status;
}

uint8_t status_for(Reason reason, uint16_t http_status) {
    if (reason != Reason::none)
        return grpc_status_of(reason);
    switch (http_status) {
    case 400:
        return 13; // INTERNAL
    case 401:
        return 16; // UNAUTHENTICATED
    case 403:
        return 7; // PERMISSION_DENIED
    case 404:
        return 12; // UNIMPLEMENTED
    case 408:
    case 504:
        return 4; // DEADLINE_EXCEEDED
    case 429:
    case 502:
    case 503:
        return 14; // UNAVAILABLE
    default:
        return 2; // UNKNOWN
    }
}

void write_status(uint8_t status, std::string_view message, std::string &out) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out.append("grpc-status: ").append(std::to_string(status)).append("\r\ngrpc-message: ");
    for (const char each : message.substr(0, max_message_bytes)) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte >= 0x20 && byte <= 0x7e && each != '%')
            out.push_back(each);
        else
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    out.append("\r\n");
}

} // namespace weft::grpc

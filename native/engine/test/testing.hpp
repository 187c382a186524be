// SPDX-License-Identifier: Apache-2.0
// The engine's unit tests: CASE("what it proves") { CHECK(…); CHECK_EQUAL(a, b); } and one run_cases() in
// main. Prints every failed check, then "N passed, N failed" (cases), and tells the process to fail if any
// did or if there was none.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace weft::testing {

struct Case {
    const char *name;
    void (*run)();
};

inline std::vector<Case> &cases() {
    static std::vector<Case> all;
    return all;
}

inline bool &case_failed() {
    static bool failed = false;
    return failed;
}

struct Registration {
    Registration(const char *name, void (*run)()) { cases().push_back({name, run}); }
};

inline void fail(const char *file, int line, const std::string &what) {
    case_failed() = true;
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
}

template <typename T> std::string show(const T &value) {
    std::ostringstream out;
    if constexpr (std::is_enum_v<T>) {
        out << +static_cast<std::underlying_type_t<T>>(value);
    } else if constexpr (std::is_integral_v<T>) {
        out << +value;
    } else {
        out << value;
    }
    return out.str();
}

template <typename A, typename B>
void check_equal(const A &a, const B &b, const char *text, const char *file, int line) {
    if (!(a == b)) {
        fail(file, line, std::string(text) + ": " + show(a) + " != " + show(b));
    }
}

/// Runs every case, or those whose name holds `only`.
inline int run_cases(const char *only = nullptr) {
    int passed = 0;
    int failed = 0;
    for (const Case &each : cases()) {
        if (only != nullptr && std::strstr(each.name, only) == nullptr) {
            continue;
        }
        case_failed() = false;
        each.run();
        if (case_failed()) {
            std::fprintf(stderr, "FAILED %s\n", each.name);
        }
        (case_failed() ? failed : passed) += 1;
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/// Memory between two pages that nobody may touch. Bytes placed at its end or at its start fault the reader
/// that goes one byte too far, without any sanitizer.
class GuardedBytes {
public:
    explicit GuardedBytes(size_t capacity) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        inner_ = (capacity + page - 1) / page * page;
        total_ = inner_ + 2 * page;
        void *base = mmap(nullptr, total_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED ||
            mprotect(static_cast<uint8_t *>(base) + page, inner_, PROT_READ | PROT_WRITE) != 0) {
            std::perror("GuardedBytes");
            std::abort();
        }
        base_ = static_cast<uint8_t *>(base);
        start_ = base_ + page;
    }
    ~GuardedBytes() { munmap(base_, total_); }
    GuardedBytes(const GuardedBytes &) = delete;
    GuardedBytes &operator=(const GuardedBytes &) = delete;

    std::span<const uint8_t> at_end(std::string_view text) {
        return copy(start_ + inner_ - text.size(), text);
    }
    std::span<const uint8_t> at_start(std::string_view text) { return copy(start_, text); }
    /// Room to write that ends at the guard page.
    std::span<uint8_t> room(size_t size) { return {start_ + inner_ - size, size}; }

private:
    std::span<const uint8_t> copy(uint8_t *to, std::string_view text) {
        if (text.size() > inner_) {
            std::abort();
        }
        std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }

    uint8_t *base_;
    uint8_t *start_;
    size_t inner_;
    size_t total_;
};

} // namespace weft::testing

#define WEFT_JOIN_(a, b) a##b
#define WEFT_JOIN(a, b) WEFT_JOIN_(a, b)
#define WEFT_CASE(name, id)                                                                                  \
    static void WEFT_JOIN(case_, id)();                                                                      \
    static const ::weft::testing::Registration WEFT_JOIN(registration_, id){name, &WEFT_JOIN(case_, id)};    \
    static void WEFT_JOIN(case_, id)()
#define CASE(name) WEFT_CASE(name, __COUNTER__)
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            ::weft::testing::fail(__FILE__, __LINE__, #condition);                                           \
        }                                                                                                    \
    } while (false)
#define CHECK_EQUAL(a, b) ::weft::testing::check_equal((a), (b), #a " == " #b, __FILE__, __LINE__)

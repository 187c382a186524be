// SPDX-License-Identifier: Apache-2.0
//
// The functional test's cases and checks: a failed check ends its case, never the program.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

namespace weft::test {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

#define WEFT_STRING(line) #line
#define WEFT_LINE(line) WEFT_STRING(line)

// Throws Failure with the place and the text of the condition.
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            throw weft::test::Failure(__FILE__ ":" WEFT_LINE(__LINE__) ": " #condition);                     \
    } while (0)

// Like CHECK, and says both values.
#define CHECK_EQUAL(got, wanted)                                                                             \
    weft::test::checkEqual((got), (wanted), __FILE__ ":" WEFT_LINE(__LINE__) ": " #got)

inline std::string show(const std::string &value) {
    return value;
}
template <typename Value> std::string show(const Value &value) {
    return std::to_string(value);
}

template <typename Got, typename Wanted>
void checkEqual(const Got &got, const Wanted &wanted, const std::string &what) {
    if (!(got == wanted))
        throw Failure(what + " is " + show(got) + ", not " + show(wanted));
}

class Machine;

struct Case {
    const char *name; // what it proves
    void (*run)(Machine &machine);
};

std::span<const Case> outboundCases();
std::span<const Case> manyConnectsCases();
std::span<const Case> inboundCases();
std::span<const Case> policyCases();
std::span<const Case> agentAddressCases();
std::span<const Case> probeCases();
std::span<const Case> failModeCases();
std::span<const Case> privilegeCases();
std::span<const Case> loaderCases();

} // namespace weft::test

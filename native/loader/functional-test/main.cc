// SPDX-License-Identifier: Apache-2.0
//
// Proves on this machine's kernel what docs/kernel.md says. Needs root, cgroup2 and a bpf file system.
// usage: functional-test OBJECT [PART OF A NAME]
// Output: TAP. Every case of the plan must report, or the run failed.
#include "loader/functional-test/lab.hpp"
#include "loader/kernel-error.hpp"

#include <bpf/libbpf.h>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

namespace weft::test {
namespace {

bool runCase(const Case &one, Machine &machine, size_t number) {
    const auto start = std::chrono::steady_clock::now();
    std::string failure;
    try {
        one.run(machine);
    } catch (const std::exception &error) {
        failure = error.what();
    }
    const auto took = std::chrono::steady_clock::now() - start;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    printf("%s %zu - %s (%lld ms)\n", failure.empty() ? "ok" : "not ok", number, one.name,
           static_cast<long long>(ms));
    if (!failure.empty())
        printf("# %s\n", failure.c_str());
    fflush(stdout);
    return failure.empty();
}

int runAll(const std::string &object, const char *part) {
    std::vector<Case> cases;
    for (const auto &some :
         {loaderCases(), outboundCases(), inboundCases(), policyCases(), agentAddressCases(), failModeCases(),
          privilegeCases(), manyConnectsCases(), probeCases()})
        for (const Case &one : some)
            if (strstr(one.name, part) != nullptr)
                cases.push_back(one);
    printf("1..%zu\n", cases.size());
    Machine machine(object);
    size_t failed = 0;
    for (size_t at = 0; at < cases.size(); ++at)
        failed += runCase(cases[at], machine, at + 1) ? 0 : 1;
    printf("# %zu cases, %zu failed\n", cases.size(), failed);
    return failed == 0 && !cases.empty() ? 0 : 1;
}

} // namespace
} // namespace weft::test

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: functional-test OBJECT [PART OF A NAME]\n");
        return 2;
    }
    libbpf_set_print([](libbpf_print_level level, const char *format, va_list list) {
        return level == LIBBPF_WARN ? vfprintf(stderr, format, list) : 0;
    });
    try {
        return weft::test::runAll(arguments[1], count > 2 ? arguments[2] : "");
    } catch (const std::exception &error) {
        printf("# the test could not start: %s\n", error.what());
        return 1;
    }
}

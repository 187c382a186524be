// SPDX-License-Identifier: Apache-2.0
//
// weft-cni: a chained CNI plugin that lets no process of a pod run before the pod is captured. It makes no
// network: it hands the result of the plugins before it on, once capture has answered. Variables and
// configuration: the CNI specification; what it does when capture is away: docs/kubernetes.md.
#include "cni/run.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

std::string_view variable(const char *name) {
    const char *value = getenv(name);
    return value != nullptr ? value : "";
}

// Standard input to its end; one byte more than is allowed is enough to see that it is too long.
std::string readInput() {
    std::string text;
    std::array<char, 65'536> part;
    while (text.size() <= weft::cni::max_configuration_bytes) {
        const ssize_t got = read(STDIN_FILENO, part.data(), part.size());
        if (got <= 0)
            break;
        text.append(part.data(), static_cast<size_t>(got));
    }
    return text;
}

} // namespace

int main() {
    const weft::cni::Environment environment = {variable("CNI_COMMAND"), variable("CNI_CONTAINERID"),
                                                variable("CNI_NETNS"), variable("CNI_ARGS")};
    const weft::cni::Outcome outcome = weft::cni::run(environment, readInput());
    if (!outcome.output.empty() && (puts(outcome.output.c_str()) < 0 || fflush(stdout) != 0))
        return 1;
    return outcome.status;
}

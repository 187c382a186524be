// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <sys/resource.h>

namespace weft::test {

namespace {

constexpr int connects = 3000;
constexpr int destinations = 64;

void raiseDescriptorLimit() {
    rlimit limit = {};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 3 * connects);
}

// The figure without a mesh is 3,000; steered to one fixed address it would be a few hundred.
void keepsTheSpaceOfTuples(Machine &machine) {
    raiseDescriptorLimit();
    Lab lab(machine);
    lab.a.enrol();
    runInside(lab.a.netns(), [] { writeFile("/proc/sys/net/ipv4/ip_local_port_range", "40000 40063"); });
    std::vector<Descriptor> open;
    int failed = 0;
    for (int at_most = 0; at_most < connects; ++at_most) {
        const Endpoint asked = at("10.78.1." + std::to_string(1 + at_most % destinations), 80);
        Descriptor app = openStream(lab.a.netns(), AF_INET);
        if (connectTo(app.get(), AF_INET, asked) != 0) {
            ++failed;
            continue;
        }
        Descriptor agent = lab.a.acceptOutbound();
        lab.checkAsked(agent.get(), asked);
        for (const Descriptor *end : {&app, &agent})
            resetOnClose(end->get());
        open.push_back(std::move(app));
        open.push_back(std::move(agent));
    }
    printf("# %d of %d connects to %d destinations over 64 ports succeeded\n", connects - failed, connects,
           destinations);
    CHECK(failed <= connects / 100);
}

constexpr Case cases[] = {
    {"3,000 connects to 64 destinations over 64 ports succeed, each with its own note",
     keepsTheSpaceOfTuples},
};

} // namespace

std::span<const Case> manyConnectsCases() {
    return cases;
}

} // namespace weft::test

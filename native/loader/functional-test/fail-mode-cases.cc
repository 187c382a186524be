// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <netinet/in.h>

namespace weft::test {

namespace {

constexpr uint32_t open_now = WEFT_POD_FAIL_OPEN | WEFT_POD_PROXY_GONE;

int tryConnect(const Pod &from, const Endpoint &to) {
    int error = 0;
    const Descriptor fd = dial(from.netns(), to, error);
    return error;
}

void closedRefuses(Machine &machine) {
    Lab lab(machine);
    // Gone, but the pod does not ask to be opened.
    lab.a.enrol({.flags = WEFT_POD_PROXY_GONE});
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8080));
    lab.a.closeListeners();
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), ECONNREFUSED);
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at4(8080)), ECONNREFUSED);
    CHECK(!isWaiting(server.get()) && !isWaiting(application.get()));
}

void openPasses(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.flags = open_now, .group = 1});
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8080));
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), 0);
    acceptOn(server.get());
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at4(8080)), 0);
    acceptOn(application.get());
    const weft_pod_counters counters = lab.a.counters();
    CHECK_EQUAL(counters.direct, 1u);
    CHECK_EQUAL(counters.passed, 1u);
    CHECK_EQUAL(counters.steered + counters.arrived, 0u);
}

void openStillDenies(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.flags = open_now, .group = 1});
    lab.setDestination("10.77.0.9", 128, WEFT_PROXY, 9);
    lab.setRule(1, 9, 80, WEFT_VERDICT_DENY);
    lab.setRule(9, 1, 8080, WEFT_VERDICT_DENY);
    lab.setDestination("10.79.0.0", 96 + 16, WEFT_DENY);
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), EPERM);
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at4(8080)), ECONNREFUSED);
    CHECK_EQUAL(tryConnect(lab.a, at("10.79.0.1", 80)), EPERM);
}

void slownessDoesNotOpen(Machine &machine) {
    Lab lab(machine);
    // Nobody accepts, and nobody says that the proxy is gone.
    lab.a.enrol({.flags = WEFT_POD_FAIL_OPEN});
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), 0);
    CHECK(!isWaiting(server.get()));
    const Descriptor waiting = lab.a.acceptOutbound();
    lab.checkAsked(waiting.get(), lab.outside.at4(80));
}

void withoutAnOutboundListener(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.ipv6 = false});
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_NO_OUTBOUND_LISTENER);
    CHECK_EQUAL(tryConnect(lab.a, at(virtual6, 80)), EPERM);
    CHECK_EQUAL(tryConnect(lab.a, at(virtual4, 80)), 0);
    lab.a.entry().outbound_port4 = 0;
    lab.a.writeEntry();
    CHECK_EQUAL(tryConnect(lab.a, at(virtual4, 80)), EPERM);
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_NO_OUTBOUND_LISTENER) - before, 2u);
}

void aPodWithoutIpv6(Machine &machine) {
    Lab lab(machine);
    runInside(lab.a.netns(), [] {
        for (const char *interface : {"all", "lo", "eth0"})
            writeFile(std::string("/proc/sys/net/ipv6/conf/") + interface + "/disable_ipv6", "1");
    });
    const auto listeners = makeListeners(lab.a.netns());
    CHECK_EQUAL(listeners.size(), 2u);
    for (const Listener &listener : listeners)
        CHECK(listener.kind == ListenerKind::inbound4 || listener.kind == ListenerKind::outbound4);
}

constexpr Case cases[] = {
    {"a closed pod without an agent is refused both ways", closedRefuses},
    {"an open pod without a proxy is passed both ways, counted", openPasses},
    {"an open pod's denials still hold", openStillDenies},
    {"a slow proxy opens nothing", slownessDoesNotOpen},
    {"without an outbound listener connect is refused and counted", withoutAnOutboundListener},
    {"a pod without IPv6 gets IPv4 listeners alone", aPodWithoutIpv6},
};

} // namespace

std::span<const Case> failModeCases() {
    return cases;
}

} // namespace weft::test

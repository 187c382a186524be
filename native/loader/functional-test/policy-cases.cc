// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <netinet/in.h>

namespace weft::test {

namespace {

int tryConnect(const Pod &from, const Endpoint &to) {
    int error = 0;
    const Descriptor fd = dial(from.netns(), to, error);
    resetOnClose(fd.get());
    return error;
}

void deniesOnConnect(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.group = 1});
    lab.setDestination("10.77.0.2", 128, WEFT_PROXY, 2);
    lab.setDestination("fd77::2", 128, WEFT_PROXY, 2);
    lab.setRule(1, 2, 80, WEFT_VERDICT_DENY);
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_L4_DENIED);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), EPERM);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at6(80)), EPERM);
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_L4_DENIED) - before, 2u);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(81)), 0);
    // Where the programs are attached twice it is one refusal all the same.
    machine.runInCgroup("pods", [&] { CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), EPERM); });
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_L4_DENIED) - before, 3u);
    CHECK_EQUAL(lab.a.counters().steered, 1u);
}

void ruleOrder(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.group = 1});
    lab.setDestination("10.77.0.2", 128, WEFT_PROXY, 2);
    lab.setRule(0, 2, 0, WEFT_VERDICT_DENY);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), EPERM);
    lab.setRule(0, 2, 80, WEFT_VERDICT_ALLOW);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), 0);
    lab.setRule(1, 2, 0, WEFT_VERDICT_DENY);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), EPERM);
    lab.setRule(1, 2, 80, WEFT_VERDICT_ALLOW);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), 0);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(81)), EPERM);
    // Without a group only rules for any source apply.
    lab.a.setGroup(0);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(80)), 0);
    CHECK_EQUAL(tryConnect(lab.a, lab.b.at4(81)), EPERM);
}

void deniesOnArrival(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.group = 1});
    lab.setDestination("10.77.0.9", 128, WEFT_PROXY, 9);
    lab.setDestination("fd77::9", 128, WEFT_PROXY, 9);
    lab.setRule(9, 1, 8080, WEFT_VERDICT_DENY);
    const Descriptor application = listenAt(lab.a.netns(), at("::", 8080), true);
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_INBOUND_L4_DENIED);
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at4(8080)), ECONNREFUSED);
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at6(8080)), ECONNREFUSED);
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_INBOUND_L4_DENIED) - before, 2u);
    CHECK(!isWaiting(application.get()) && !isWaiting(lab.a.listener(ListenerKind::inbound4)));
    CHECK_EQUAL(tryConnect(lab.outside, lab.a.at4(8081)), 0);
    CHECK_EQUAL(tryConnect(lab.b, lab.a.at4(8080)), 0);
}

void ranges(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    lab.setDestination("10.77.0.8", 96 + 29, WEFT_DENY);
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_RANGE_DENIED);
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), EPERM);
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_RANGE_DENIED) - before, 1u);
    lab.setDestination("10.77.0.9", 128, WEFT_DIRECT);
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at4(80)), 0);
    acceptOn(server.get());
    CHECK(!lab.a.hasOutbound());
    CHECK_EQUAL(lab.a.counters().direct, 1u);
}

void outsideEveryRangeIsDirect(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    machine.kernel().remove("destinations", [] {
        weft_prefix key = {};
        key.bits = 64;
        const Endpoint range = at("fd77::", 0);
        std::copy(range.ip.begin(), range.ip.end(), key.ip);
        const auto *bytes = reinterpret_cast<const uint8_t *>(&key);
        return Bytes(bytes, bytes + sizeof key);
    }());
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at6(80));
    CHECK_EQUAL(tryConnect(lab.a, lab.outside.at6(80)), 0);
    acceptOn(server.get());
    CHECK_EQUAL(lab.a.counters().direct, 1u);
}

int sendDatagram(const Pod &from, const Endpoint &to, bool connected, int family) {
    Descriptor fd;
    runInside(from.netns(), [&] { fd = Descriptor(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    sockaddr_storage storage;
    const socklen_t size = makeSocketAddress(family, to, storage);
    const auto *address = reinterpret_cast<const sockaddr *>(&storage);
    if (connected)
        return connect(fd.get(), address, size) == 0 ? 0 : errno;
    return sendto(fd.get(), "x", 1, 0, address, size) == 1 ? 0 : errno;
}

void deniesUdp(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol({.flags = WEFT_POD_UDP_DENY});
    lab.b.enrol();
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_UDP_DENIED);
    for (const bool connected : {false, true}) {
        CHECK_EQUAL(sendDatagram(lab.a, lab.outside.at4(53), connected, AF_INET), EPERM);
        CHECK_EQUAL(sendDatagram(lab.a, lab.outside.at4(53), connected, AF_INET6), EPERM);
        CHECK_EQUAL(sendDatagram(lab.a, lab.outside.at6(53), connected, AF_INET6), EPERM);
        CHECK_EQUAL(sendDatagram(lab.a, at("127.0.0.1", 53), connected, AF_INET), 0);
        CHECK_EQUAL(sendDatagram(lab.b, lab.outside.at4(53), connected, AF_INET), 0);
        CHECK_EQUAL(sendDatagram(lab.b, lab.outside.at6(53), connected, AF_INET6), 0);
    }
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_UDP_DENIED) - before, 6u);
}

constexpr Case cases[] = {
    {"an L4 rule refuses connect with EPERM, counted once", deniesOnConnect},
    {"the most specific L4 rule decides", ruleOrder},
    {"an L4 rule resets an arrival, counted", deniesOnArrival},
    {"the longest prefix decides between deny, direct and proxy", ranges},
    {"a destination outside every range is passed directly", outsideEveryRangeIsDirect},
    {"UDP is refused where the pod says so, loopback excepted", deniesUdp},
};

} // namespace

std::span<const Case> policyCases() {
    return cases;
}

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace weft::test {

namespace {

// What the proxy does with an arrived connection: dials the application with the client's address noted.
int dialApplication(Lab &lab, const Pod &pod, const Endpoint &application, const Endpoint &client,
                    Descriptor &fd) {
    const int family = application.isV4() ? AF_INET : AF_INET6;
    fd = pod.agentSocket(family);
    weft_note note = {};
    note.kind = WEFT_NOTE_REAL_CLIENT;
    note.address = toAbi(client);
    const int key = fd.get();
    lab.machine.kernel().update("notes", {reinterpret_cast<const uint8_t *>(&key), sizeof key},
                                {reinterpret_cast<const uint8_t *>(&note), sizeof note});
    return connectTo(fd.get(), family, application);
}

// A client outside connects to the pod; the application, bound as said, gets the connection from the agent.
void arrives(Machine &machine, const Endpoint &bound, bool any6, bool client6, int expected) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint service = client6 ? lab.a.at6(8080) : lab.a.at4(8080);
    const Descriptor application = listenAt(lab.a.netns(), bound, any6);
    const Descriptor client = dial(lab.outside.netns(), service);
    CHECK(!isWaiting(application.get()));
    Endpoint real;
    const Descriptor arrived =
        acceptOn(lab.a.listener(client6 ? ListenerKind::inbound6 : ListenerKind::inbound4), &real);
    CHECK_EQUAL(nameOf(arrived.get()), service);
    CHECK_EQUAL(real, nameOf(client.get()));
    Descriptor agent;
    CHECK_EQUAL(dialApplication(lab, lab.a, service, real, agent), expected);
    if (expected != 0)
        return;
    Endpoint shown;
    const Descriptor accepted = acceptOn(application.get(), &shown);
    CHECK_EQUAL(shown, real);
    CHECK_EQUAL(peerOf(accepted.get()), real);
    CHECK_EQUAL(nameOf(accepted.get()), service);
    CHECK_EQUAL(peerOf(agent.get()), service);
    const weft_pod_counters counters = lab.a.counters();
    CHECK_EQUAL(counters.arrived, 1u);
    CHECK_EQUAL(counters.passed, 0u);
}

void toPodAddress(Machine &machine) {
    arrives(machine, at("10.77.0.1", 8080), false, false, 0);
    arrives(machine, at("fd77::1", 8080), false, true, 0);
}

void toAnyIpv4(Machine &machine) {
    arrives(machine, at("0.0.0.0", 8080), false, false, 0);
}

void toAnyIpv6(Machine &machine) {
    arrives(machine, at("::", 8080), true, false, 0);
    arrives(machine, at("::", 8080), true, true, 0);
}

void toLoopback(Machine &machine) {
    arrives(machine, at("127.0.0.1", 8080), false, false, ECONNREFUSED);
}

// Servers written in Go listen with MPTCP by default; the agent's plain connection falls back.
void toMptcpListener(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor application = openStream(lab.a.netns(), AF_INET, IPPROTO_MPTCP);
    CHECK_EQUAL(bindTo(application.get(), AF_INET, lab.a.at4(8080)), 0);
    CHECK(listen(application.get(), 16) == 0);
    const Descriptor client = dial(lab.outside.netns(), lab.a.at4(8080));
    const Descriptor arrived = acceptOn(lab.a.listener(ListenerKind::inbound4));
    Descriptor agent;
    CHECK_EQUAL(dialApplication(lab, lab.a, lab.a.at4(8080), nameOf(client.get()), agent), 0);
    Endpoint shown;
    const Descriptor accepted = acceptOn(application.get(), &shown);
    CHECK_EQUAL(shown, nameOf(client.get()));
    CHECK_EQUAL(peerOf(accepted.get()), nameOf(client.get()));
}

void leavesLocalConnectionsAlone(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8080));
    const Descriptor six = listenAt(lab.a.netns(), at("::", 8081), true);
    for (const Endpoint &local : {at("127.0.0.1", 8080), at("0.0.0.0", 8080), lab.a.at4(8080)}) {
        const Descriptor client = dial(lab.a.netns(), local);
        acceptOn(application.get());
    }
    for (const Endpoint &local : {at("::1", 8081), lab.a.at6(8081)}) {
        const Descriptor client = dial(lab.a.netns(), local);
        acceptOn(six.get());
    }
    CHECK_EQUAL(lab.a.counters().arrived, 0u);
    CHECK_EQUAL(lab.a.counters().direct, 5u);
}

void dropsWithoutAListener(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8080));
    lab.a.closeListeners();
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_NO_INBOUND_LISTENER);
    int error = 0;
    const Descriptor client = dial(lab.outside.netns(), lab.a.at4(8080), error);
    CHECK_EQUAL(error, ECONNREFUSED);
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_NO_INBOUND_LISTENER) - before, 1u);
    CHECK(!isWaiting(application.get()));
}

void dropsAtAnAddressThatIsNotEnrolled(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8080));
    machine.kernel().remove("addresses", lab.a.at4(0).ip);
    int error = 0;
    const Descriptor client = dial(lab.outside.netns(), lab.a.at4(8080), error);
    CHECK_EQUAL(error, ECONNREFUSED);
    CHECK(!isWaiting(application.get()));
}

// The agent is frozen: the kernel completes the handshakes, and every accepted socket still has its own note.
void waitsInTheBacklog(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    std::vector<Descriptor> clients;
    for (uint16_t port = 1; port <= 200; ++port)
        clients.push_back(dial(lab.a.netns(), at(virtual4, port)));
    for (uint16_t port = 1; port <= 200; ++port) {
        const Descriptor agent = lab.a.acceptOutbound();
        lab.checkAsked(agent.get(), at(virtual4, port));
    }
}

constexpr Case cases[] = {
    {"arrivals go to the agent and the application at its pod address sees the real client", toPodAddress},
    {"the same with the application at 0.0.0.0", toAnyIpv4},
    {"the same with the application at [::], for both families", toAnyIpv6},
    {"an application at 127.0.0.1 alone is refused from outside as without a mesh", toLoopback},
    {"an application that listens with MPTCP sees the real client", toMptcpListener},
    {"connections within the pod are left alone", leavesLocalConnectionsAlone},
    {"without an inbound listener an arrival is reset and counted", dropsWithoutAListener},
    {"an arrival at an address that is not enrolled is reset", dropsAtAnAddressThatIsNotEnrolled},
    {"200 connections wait in the backlog, each with its own note", waitsInTheBacklog},
};

} // namespace

std::span<const Case> inboundCases() {
    return cases;
}

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
//
// Root in a pod against the agent's listeners in its namespace.
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <netinet/in.h>

namespace weft::test {

namespace {

int tryBind(int netns, const Endpoint &endpoint, int option) {
    const int family = endpoint.isV4() ? AF_INET : AF_INET6;
    const Descriptor fd = openStream(netns, family);
    const int on = 1;
    if (option != 0)
        CHECK(setsockopt(fd.get(), SOL_SOCKET, option, &on, sizeof on) == 0);
    return bindTo(fd.get(), family, endpoint);
}

void nobodyBindsBeside(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const uint16_t outbound4 = lab.a.port(ListenerKind::outbound4),
                   inbound4 = lab.a.port(ListenerKind::inbound4);
    const uint16_t outbound6 = lab.a.port(ListenerKind::outbound6, 3),
                   inbound6 = lab.a.port(ListenerKind::inbound6);
    for (const int option : {0, SO_REUSEADDR, SO_REUSEPORT}) {
        for (const char *ip : {"0.0.0.0", "127.0.0.1", "127.128.0.5", "10.77.0.1"})
            CHECK_EQUAL(tryBind(lab.a.netns(), at(ip, outbound4), option), EADDRINUSE);
        for (const char *ip : {"0.0.0.0", "127.0.0.1"})
            CHECK_EQUAL(tryBind(lab.a.netns(), at(ip, inbound4), option), EADDRINUSE);
        for (const char *ip : {"::", "::1", "fd77::1"})
            CHECK_EQUAL(tryBind(lab.a.netns(), at(ip, outbound6), option), EADDRINUSE);
        for (const char *ip : {"::", "::1"})
            CHECK_EQUAL(tryBind(lab.a.netns(), at(ip, inbound6), option), EADDRINUSE);
    }
}

void nobodyConnectsDirectly(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const uint64_t before = machine.countRefusals(WEFT_KERNEL_AGENT_ADDRESS_DENIED);
    uint64_t tried = 0;
    const auto expectRefused = [&](const Endpoint &target) {
        int error = 0;
        const Descriptor fd = dial(lab.a.netns(), target, error);
        checkEqual(error, EPERM, "connect to " + show(target));
        ++tried;
    };
    for (const ListenerKind kind : {ListenerKind::outbound4, ListenerKind::inbound4}) {
        const uint16_t port = lab.a.port(kind);
        for (const char *ip : {"127.0.0.1", "127.1.2.3", "127.128.0.1", "0.0.0.0", "10.77.0.1"})
            expectRefused(at(ip, port));
    }
    for (const ListenerKind kind : {ListenerKind::outbound6, ListenerKind::inbound6}) {
        const uint16_t port = lab.a.port(kind);
        for (const char *ip : {"::1", "::", "fd77::1"})
            expectRefused(at(ip, port));
    }
    expectRefused(at("127.200.1.1", 80));
    CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_AGENT_ADDRESS_DENIED) - before, tried);
    CHECK(!lab.a.hasOutbound() && !isWaiting(lab.a.listener(ListenerKind::inbound4)));
}

// The kernel's record of what was asked stands, whatever the socket does before or after.
void aSteeredTargetIsNoWayIn(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    Endpoint target;
    {
        const Descriptor app = dial(lab.a.netns(), at(virtual4, 80));
        const Descriptor agent = lab.a.acceptOutbound();
        target = nameOf(agent.get());
    }
    int error = 0;
    const Descriptor app = dial(lab.a.netns(), target, error);
    CHECK_EQUAL(error, EPERM);
}

void fromOutsideOnlyInbound(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    for (const ListenerKind kind : {ListenerKind::outbound4, ListenerKind::inbound4}) {
        const Endpoint target = lab.a.at4(lab.a.port(kind));
        const Descriptor client = dial(lab.outside.netns(), target);
        const Descriptor arrived = acceptOn(lab.a.listener(ListenerKind::inbound4));
        CHECK_EQUAL(nameOf(arrived.get()), target);
    }
    const Endpoint target6 = lab.a.at6(lab.a.port(ListenerKind::outbound6));
    const Descriptor client = dial(lab.outside.netns(), target6);
    const Descriptor arrived = acceptOn(lab.a.listener(ListenerKind::inbound6));
    CHECK_EQUAL(nameOf(arrived.get()), target6);
    CHECK(!lab.a.hasOutbound());
    // Nor when the pod fails open: what is the agent's stays the agent's.
    lab.a.setFlags(WEFT_POD_FAIL_OPEN | WEFT_POD_PROXY_GONE);
    const Descriptor late = dial(lab.outside.netns(), lab.a.at4(lab.a.port(ListenerKind::outbound4)));
    acceptOn(lab.a.listener(ListenerKind::inbound4));
    CHECK(!lab.a.hasOutbound());
}

constexpr Case cases[] = {
    {"root in the pod cannot bind beside the agent's listeners, with no option", nobodyBindsBeside},
    {"root in the pod cannot connect to the agent's listeners, each try counted", nobodyConnectsDirectly},
    {"the address that a connection was steered to is no way in", aSteeredTargetIsNoWayIn},
    {"from outside the agent's ports lead to the inbound listener alone", fromOutsideOnlyInbound},
};

} // namespace

std::span<const Case> agentAddressCases() {
    return cases;
}

} // namespace weft::test

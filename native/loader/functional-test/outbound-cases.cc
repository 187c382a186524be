// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

namespace weft::test {

namespace {

void steersIpv4(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    const Descriptor app = dial(lab.a.netns(), asked);
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
    CHECK_EQUAL(peerOf(app.get()), asked);
    const Endpoint own = nameOf(app.get());
    CHECK_EQUAL(own, lab.a.at4(own.port));
    // The agent sees the pod's address, and the port that the application has.
    CHECK_EQUAL(peerOf(agent.get()), own);
}

void steersIpv6(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    // Enough destinations to meet several of the ports.
    for (uint16_t port = 80; port < 96; ++port) {
        const Endpoint asked = at(virtual6, port);
        const Descriptor app = dial(lab.a.netns(), asked);
        const Descriptor agent = lab.a.acceptOutbound(true);
        lab.checkAsked(agent.get(), asked);
        CHECK_EQUAL(peerOf(app.get()), asked);
        const Endpoint own = nameOf(app.get());
        CHECK_EQUAL(own, lab.a.at6(own.port));
        CHECK_EQUAL(peerOf(agent.get()), own);
    }
}

void steersMapped(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    const Descriptor app = openStream(lab.a.netns(), AF_INET6);
    CHECK_EQUAL(connectTo(app.get(), AF_INET6, asked), 0);
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
    CHECK_EQUAL(peerOf(app.get()), asked);
    CHECK_EQUAL(nameOf(app.get()), lab.a.at4(nameOf(app.get()).port));
}

void steersNonBlocking(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    const Descriptor app = openStream(lab.a.netns(), AF_INET);
    CHECK(fcntl(app.get(), F_SETFL, O_NONBLOCK) == 0);
    const int error = connectTo(app.get(), AF_INET, asked);
    CHECK(error == 0 || error == EINPROGRESS);
    pollfd writable = {app.get(), POLLOUT, 0};
    CHECK(poll(&writable, 1, 5000) == 1 && (writable.revents & POLLERR) == 0);
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
    CHECK_EQUAL(peerOf(app.get()), asked);
}

void expectByte(int from) {
    char byte = 0;
    CHECK(read(from, &byte, 1) == 1 && byte == 'x');
}

void steersFastOpen(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    sockaddr_storage storage;
    const socklen_t size = makeSocketAddress(AF_INET, asked, storage);
    const Descriptor first = openStream(lab.a.netns(), AF_INET);
    CHECK(sendto(first.get(), "x", 1, MSG_FASTOPEN, reinterpret_cast<const sockaddr *>(&storage), size) == 1);
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
    expectByte(agent.get());
    const Descriptor second = openStream(lab.a.netns(), AF_INET);
    const int on = 1;
    CHECK(setsockopt(second.get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0);
    CHECK_EQUAL(connectTo(second.get(), AF_INET, asked), 0);
    CHECK(write(second.get(), "x", 1) == 1);
    const Descriptor other = lab.a.acceptOutbound();
    lab.checkAsked(other.get(), asked);
    expectByte(other.get());
}

void steersBoundToDevice(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    for (const Endpoint &asked : {at(virtual4, 80), at(virtual6, 80)}) {
        const int family = asked.isV4() ? AF_INET : AF_INET6;
        const Descriptor app = openStream(lab.a.netns(), family);
        CHECK(setsockopt(app.get(), SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5) == 0);
        CHECK_EQUAL(connectTo(app.get(), family, asked), 0);
        const Descriptor agent = lab.a.acceptOutbound(!asked.isV4());
        lab.checkAsked(agent.get(), asked);
        CHECK_EQUAL(peerOf(app.get()), asked);
    }
}

void steersBoundToAddress(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    for (const Endpoint &asked : {at(virtual4, 80), at(virtual6, 80)}) {
        const int family = asked.isV4() ? AF_INET : AF_INET6;
        const Endpoint own = asked.isV4() ? lab.a.at4(0) : lab.a.at6(0);
        const Descriptor app = openStream(lab.a.netns(), family);
        CHECK_EQUAL(bindTo(app.get(), family, own), 0);
        CHECK_EQUAL(connectTo(app.get(), family, asked), 0);
        CHECK(write(app.get(), "x", 1) == 1);
        const Descriptor agent = lab.a.acceptOutbound(!asked.isV4());
        lab.checkAsked(agent.get(), asked);
        expectByte(agent.get());
    }
}

void steersMptcp(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    const Descriptor app = openStream(lab.a.netns(), AF_INET, IPPROTO_MPTCP);
    CHECK_EQUAL(connectTo(app.get(), AF_INET, asked), 0);
    CHECK(write(app.get(), "x", 1) == 1);
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
    expectByte(agent.get());
}

void steersFromAnotherCgroup(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    for (const char *cgroup : {"other", "pods"}) {
        const weft_pod_counters before = lab.a.counters();
        machine.runInCgroup(cgroup, [&] {
            const Descriptor app = dial(lab.a.netns(), asked);
            CHECK_EQUAL(peerOf(app.get()), asked);
        });
        const Descriptor agent = lab.a.acceptOutbound();
        lab.checkAsked(agent.get(), asked);
        // Below "pods" the programs ran twice: it is one connection all the same.
        CHECK_EQUAL(lab.a.counters().steered - before.steered, 1u);
    }
}

// The key of a connection that never came about stays in the map; its 4-tuple's next user must not inherit
// it.
void reusesTuples(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const uint16_t listener_port = lab.a.port(ListenerKind::outbound4);
    const Endpoint asked = at(virtual4, 80);
    Endpoint target;
    const Endpoint source = at("127.0.0.1", 45678);
    {
        const Descriptor app = openStream(lab.a.netns(), AF_INET);
        const int on = 1;
        CHECK(setsockopt(app.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
        CHECK_EQUAL(bindTo(app.get(), AF_INET, source), 0);
        CHECK_EQUAL(connectTo(app.get(), AF_INET, asked), 0);
        const Descriptor agent = lab.a.acceptOutbound();
        target = nameOf(agent.get());
        resetOnClose(app.get());
    }
    lab.a.closeListeners();
    {
        const Descriptor app = openStream(lab.a.netns(), AF_INET);
        CHECK_EQUAL(bindTo(app.get(), AF_INET, source), 0);
        CHECK_EQUAL(connectTo(app.get(), AF_INET, asked), ECONNREFUSED);
    }
    bool stale = false;
    for (const Bytes &key : machine.kernel().keys("notes_in_flight")) {
        weft_flow flow = {};
        memcpy(&flow, key.data(), sizeof flow);
        stale = stale || flow.local_port == source.port;
    }
    CHECK(stale);
    const Descriptor again = listenAt(lab.a.netns(), at("0.0.0.0", listener_port));
    const Descriptor agents = lab.a.agentSocket(AF_INET);
    CHECK_EQUAL(bindTo(agents.get(), AF_INET, source), 0);
    CHECK_EQUAL(connectTo(agents.get(), AF_INET, target), 0);
    const Descriptor accepted = acceptOn(again.get());
    CHECK(!lab.noteOf(accepted.get()).has_value());
}

void forgetsAnEarlierConnect(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    lab.setDestination("10.77.0.9", 128, WEFT_DIRECT);
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    lab.a.closeListeners();
    const Descriptor app = openStream(lab.a.netns(), AF_INET);
    CHECK_EQUAL(connectTo(app.get(), AF_INET, at(virtual4, 80)), ECONNREFUSED);
    CHECK_EQUAL(connectTo(app.get(), AF_INET, lab.outside.at4(80)), 0);
    CHECK_EQUAL(peerOf(app.get()), lab.outside.at4(80));
    CHECK(!lab.noteOf(app.get()).has_value());
    CHECK_EQUAL(lab.a.counters().direct, 1u);
}

// if (user_ip4 == virtual4) user_ip4 = 10.77.0.9: what a socket load balancer does.
Descriptor attachForeign(const Machine &machine) {
    const uint32_t service = htonl(0x0a4e0001), backend = htonl(0x0a4d0009);
    const auto make = [](uint8_t code, uint8_t target, uint8_t source, int16_t offset, int32_t immediate) {
        bpf_insn instruction = {};
        instruction.code = code;
        instruction.dst_reg = target & 0xf;
        instruction.src_reg = source & 0xf;
        instruction.off = offset;
        instruction.imm = immediate;
        return instruction;
    };
    constexpr int16_t user_ip4 = offsetof(bpf_sock_addr, user_ip4);
    const std::array program = {
        make(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, user_ip4, 0),
        make(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 2, static_cast<int32_t>(service)),
        make(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, static_cast<int32_t>(backend)),
        make(BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_3, user_ip4, 0),
        make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1),
        make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    bpf_prog_load_opts options = {};
    options.sz = sizeof options;
    options.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
    const Descriptor loaded(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "foreign", "GPL", program.data(),
                                          program.size(), &options));
    CHECK(loaded);
    const Descriptor root(open(machine.rootCgroup().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Descriptor link(bpf_link_create(loaded.get(), root.get(), BPF_CGROUP_INET4_CONNECT, nullptr));
    CHECK(link);
    return link;
}

void seesWhatWasAskedBesideAForeignProgram(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Endpoint asked = at(virtual4, 80);
    const Descriptor foreign = attachForeign(machine);
    machine.runInCgroup("pods", [&] {
        const Descriptor app = dial(lab.a.netns(), asked);
        CHECK_EQUAL(peerOf(app.get()), asked);
    });
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), asked);
}

void countsOutbound(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    lab.setDestination("10.77.0.9", 128, WEFT_DIRECT);
    const Descriptor server = listenAt(lab.outside.netns(), lab.outside.at4(80));
    for (int at_most = 0; at_most < 3; ++at_most)
        dial(lab.a.netns(), at(virtual4, 80));
    dial(lab.a.netns(), at(virtual6, 80));
    for (int at_most = 0; at_most < 2; ++at_most)
        dial(lab.a.netns(), lab.outside.at4(80));
    const Descriptor agents = lab.a.agentSocket(AF_INET);
    CHECK_EQUAL(connectTo(agents.get(), AF_INET, lab.outside.at4(80)), 0);
    const weft_pod_counters counters = lab.a.counters();
    CHECK_EQUAL(counters.steered, 4u);
    CHECK_EQUAL(counters.direct, 2u);
}

constexpr Case cases[] = {
    {"an IPv4 connect is steered and names show what was asked", steersIpv4},
    {"an IPv6 connect is steered, spread over ports", steersIpv6},
    {"a v4-mapped connect is steered", steersMapped},
    {"a non-blocking connect is steered", steersNonBlocking},
    {"TCP_FASTOPEN is steered, by sendto and by option", steersFastOpen},
    {"a socket bound to a device is steered", steersBoundToDevice},
    {"a socket bound to the pod's address is steered", steersBoundToAddress},
    {"MPTCP is steered", steersMptcp},
    {"a process in another cgroup is steered, and counted once", steersFromAnotherCgroup},
    {"a reused 4-tuple inherits no note", reusesTuples},
    {"a socket that connects again forgets its first destination", forgetsAnEarlierConnect},
    {"beside a foreign connect4 program at the root the asked address is kept",
     seesWhatWasAskedBesideAForeignProgram},
    {"steered and direct connections are counted exactly", countsOutbound},
};

} // namespace

std::span<const Case> outboundCases() {
    return cases;
}

} // namespace weft::test

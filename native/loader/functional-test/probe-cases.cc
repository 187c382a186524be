// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <netinet/in.h>

namespace weft::test {

namespace {

constexpr uint16_t declared = 8080;
constexpr int probe_count = 20'000;

template <typename Value> std::span<const uint8_t> bytesOf(const Value &value) {
    return {reinterpret_cast<const uint8_t *>(&value), sizeof value};
}

// Declares the probe port of pod a for the life of this object.
class ProbePort {
public:
    ProbePort(Machine &machine, const Endpoint &endpoint) : machine_(machine), key_(toAbi(endpoint)) {
        const uint32_t one = 1;
        machine_.kernel().update("probe_ports", bytesOf(key_), bytesOf(one));
    }
    ProbePort(const ProbePort &) = delete;
    ProbePort &operator=(const ProbePort &) = delete;
    ~ProbePort() { machine_.kernel().remove("probe_ports", bytesOf(key_)); }

private:
    Machine &machine_;
    weft_address key_;
};

size_t countOpenings(Machine &machine) {
    return machine.kernel().keys("probes").size();
}

void aProbePasses(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const ProbePort port4(machine, lab.a.at4(declared)), port6(machine, lab.a.at6(declared));
    const Descriptor application = listenAt(lab.a.netns(), at("::", declared), true);
    lab.a.closeListeners(); // It passes with the agent dead.
    machine.runInCgroup("kubelet", [&] {
        const Descriptor four = dial(lab.outside.netns(), lab.a.at4(declared));
        const Descriptor six = dial(lab.outside.netns(), lab.a.at6(declared));
        acceptOn(application.get());
        acceptOn(application.get());
        // Closed as soon as the handshake is done, though the probe still runs.
        CHECK_EQUAL(countOpenings(machine), 0u);
    });
    CHECK_EQUAL(lab.a.counters().passed, 2u);
}

void onlyDeclaredPortsPass(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const ProbePort port(machine, lab.a.at4(declared));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", 8081));
    machine.runInCgroup("kubelet", [&] { dial(lab.outside.netns(), lab.a.at4(8081)); });
    acceptOn(lab.a.listener(ListenerKind::inbound4));
    CHECK(!isWaiting(application.get()));
}

void onlyKubeletPasses(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const ProbePort port(machine, lab.a.at4(declared));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", declared));
    machine.runInCgroup("other", [&] { dial(lab.outside.netns(), lab.a.at4(declared)); });
    acceptOn(lab.a.listener(ListenerKind::inbound4));
    CHECK(!isWaiting(application.get()));
}

void anOpeningClosesWithItsSocket(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    // Nobody listens: the probe is reset, and its opening goes with the socket.
    const ProbePort port(machine, lab.a.at4(declared));
    machine.runInCgroup("kubelet", [&] {
        int error = 0;
        const Descriptor probe = dial(lab.outside.netns(), lab.a.at4(declared), error);
        CHECK_EQUAL(error, ECONNREFUSED);
    });
    CHECK_EQUAL(countOpenings(machine), 0u);
}

// An entry that another way should have removed, older than its time.
void anOldOpeningIsClosed(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const ProbePort port(machine, lab.a.at4(declared));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", declared));
    for (const bool old : {true, false}) {
        const Endpoint source = lab.outside.at4(old ? 45001 : 45002);
        weft_probe key = {};
        memcpy(key.client_ip, source.ip.data(), 16);
        memcpy(key.server_ip, lab.a.at4(0).ip.data(), 16);
        key.client_port = source.port;
        key.server_port = declared;
        timespec now = {};
        clock_gettime(CLOCK_MONOTONIC, &now);
        const uint64_t age = old ? 2'100'000'000 : 0;
        const uint64_t started =
            static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec) - age;
        const Descriptor client = openStream(lab.outside.netns(), AF_INET);
        CHECK_EQUAL(bindTo(client.get(), AF_INET, source), 0);
        const uint64_t before = machine.countRefusals(WEFT_KERNEL_PROBE_EXPIRED);
        // The connect of a socket that is no probe's deletes the key, so it is declared no port for this
        // moment.
        machine.kernel().remove("probe_ports", bytesOf(toAbi(lab.a.at4(declared))));
        machine.kernel().update("probes", bytesOf(key), bytesOf(started));
        CHECK_EQUAL(connectTo(client.get(), AF_INET, lab.a.at4(declared)), 0);
        CHECK_EQUAL(machine.countRefusals(WEFT_KERNEL_PROBE_EXPIRED) - before, old ? 1u : 0u);
        acceptOn(old ? lab.a.listener(ListenerKind::inbound4) : application.get());
    }
}

void staleTuplesLetNothingIn(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const ProbePort port(machine, lab.a.at4(declared));
    const Descriptor application = listenAt(lab.a.netns(), at("0.0.0.0", declared));
    machine.runInCgroup("kubelet", [&] {
        for (int done = 0; done < probe_count; ++done) {
            const Descriptor probe = dial(lab.outside.netns(), lab.a.at4(declared));
            resetOnClose(probe.get());
            acceptOn(application.get());
        }
    });
    CHECK_EQUAL(lab.a.counters().passed, static_cast<uint64_t>(probe_count));
    int reached = 0;
    for (uint32_t source = 1024; source <= UINT16_MAX; ++source) {
        const Descriptor client = openStream(lab.outside.netns(), AF_INET);
        CHECK_EQUAL(bindTo(client.get(), AF_INET, lab.outside.at4(static_cast<uint16_t>(source))), 0);
        CHECK_EQUAL(connectTo(client.get(), AF_INET, lab.a.at4(declared)), 0);
        resetOnClose(client.get());
        reached += isWaiting(application.get()) ? 1 : 0;
        acceptOn(lab.a.listener(ListenerKind::inbound4));
    }
    CHECK_EQUAL(reached, 0);
}

constexpr Case cases[] = {
    {"kubelet's probe of a declared port reaches the application, the agent dead", aProbePasses},
    {"kubelet's connection to another port goes to the agent", onlyDeclaredPortsPass},
    {"another process's connection to a probe port goes to the agent", onlyKubeletPasses},
    {"a probe's opening goes with its socket", anOpeningClosesWithItsSocket},
    {"an opening older than two seconds is closed and counted", anOldOpeningIsClosed},
    {"20,000 probes, then every source port: nothing is let in", staleTuplesLetNothingIn},
};

} // namespace

std::span<const Case> probeCases() {
    return cases;
}

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"

#include "loader/functional-test/netlink.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft::test {

namespace {

template <typename Value> std::span<const uint8_t> bytesOf(const Value &value) {
    return {reinterpret_cast<const uint8_t *>(&value), sizeof value};
}

std::string findCgroupRoot() {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
        std::string device, path, type;
        std::istringstream(line) >> device >> path >> type;
        if (type == "cgroup2")
            return path;
    }
    throw Failure("no cgroup2 is mounted");
}

void makeFolder(const std::string &path) {
    CHECK(mkdir(path.c_str(), 0755) == 0 || errno == EEXIST);
}

} // namespace

void writeFile(const std::string &path, const std::string &text) {
    const Descriptor fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw Failure("cannot write " + path + ": " + strerror(errno));
}

void runInChild(const std::function<void()> &work) {
    fflush(stdout);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        try {
            work();
        } catch (const std::exception &error) {
            fprintf(stderr, "# in a child: %s\n", error.what());
            _exit(1);
        }
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
}

Machine::Machine(const std::string &object) : root_(findCgroupRoot()) {
    const std::string name = "weft-k-functional-" + std::to_string(getpid());
    cgroup_ = root_ + "/" + name;
    makeFolder(cgroup_);
    for (const char *below : {"pods", "kubelet", "other"})
        makeFolder(cgroup(below));
    options_ = {object, "/sys/fs/bpf/" + name, {cgroup("pods"), root_}, cgroup("kubelet")};
    kernel_ = KernelPrograms::load(options_);
    kernel_->keep();
}

Machine::~Machine() {
    kernel_.reset();
    removePins(options_.pin_folder);
    for (const char *below : {"pods", "kubelet", "other"})
        rmdir(cgroup(below).c_str());
    rmdir(cgroup_.c_str());
}

uint64_t Machine::countRefusals(weft_reason reason) {
    return kernel_->sumCounters("refusals").at(reason);
}

void Machine::runInCgroup(const std::string &name, const std::function<void()> &work) {
    runInChild([&] {
        writeFile(cgroup(name) + "/cgroup.procs", std::to_string(getpid()));
        work();
    });
}

Descriptor makeNamespace() {
    const Descriptor home(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    CHECK(home && unshare(CLONE_NEWNET) == 0);
    Descriptor made(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    CHECK(setns(home.get(), CLONE_NEWNET) == 0 && made);
    raise(made.get(), "lo");
    return made;
}

Pod::Pod(Machine &machine, int node, const std::string &name, const std::string &ip4, const std::string &ip6)
    : machine_(machine), name_(name), ip4_(ip4), ip6_(ip6), netns_(makeNamespace()),
      cookie_(readNamespaceCookie(netns_.get())) {
    addVeth(node, name, "bridge", netns_.get(), "eth0");
    addAddress(netns_.get(), "eth0", ip4, 24);
    addAddress(netns_.get(), "eth0", ip6, 64);
    addDefaultRoute(netns_.get(), "10.77.0.254");
    addDefaultRoute(netns_.get(), "fd77::fe");
}

void Pod::enrol(const PodOptions &options) {
    KernelPrograms &kernel = machine_.kernel();
    listeners_ = makeListeners(netns_.get());
    entry_ = {};
    entry_.flags = options.flags;
    entry_.group = options.group;
    memcpy(entry_.address4, at4(0).ip.data(), 16);
    memcpy(entry_.address6, at6(0).ip.data(), 16);
    entry_.outbound_port4 = port(ListenerKind::outbound4);
    entry_.inbound_port4 = port(ListenerKind::inbound4);
    if (options.ipv6) {
        entry_.inbound_port6 = port(ListenerKind::inbound6);
        for (size_t at = 0; at < WEFT_OUTBOUND_PORTS6; ++at)
            entry_.outbound_ports6[at] = port(ListenerKind::outbound6, at);
    }
    const weft_pod_counters none = {};
    kernel.update("pod_counters", bytesOf(cookie_), bytesOf(none));
    for (const bool six : {false, true}) {
        const Endpoint own = six ? at6(0) : at4(0);
        const uint64_t fd =
            static_cast<uint64_t>(listener(six ? ListenerKind::inbound6 : ListenerKind::inbound4));
        kernel.update("listeners", own.ip, bytesOf(fd));
        kernel.update("addresses", own.ip, bytesOf(cookie_));
    }
    kernel.attachNamespace(netns_.get(), "test-" + name_);
    writeEntry();
    enrolled_ = true;
}

void Pod::writeEntry() {
    machine_.kernel().update("pods", bytesOf(cookie_), bytesOf(entry_));
}

void Pod::setFlags(uint32_t flags) {
    entry_.flags = flags;
    writeEntry();
}

void Pod::setGroup(uint32_t group) {
    entry_.group = group;
    writeEntry();
}

void Pod::withdraw() {
    if (!enrolled_)
        return;
    KernelPrograms &kernel = machine_.kernel();
    kernel.remove("pods", bytesOf(cookie_));
    for (const Endpoint &own : {at4(0), at6(0)}) {
        kernel.remove("addresses", own.ip);
        kernel.remove("listeners", own.ip);
    }
    kernel.remove("pod_counters", bytesOf(cookie_));
    kernel.detachNamespace("test-" + name_);
    listeners_.clear();
    enrolled_ = false;
}

Pod::~Pod() {
    withdraw();
}

int Pod::listener(ListenerKind kind, size_t which) const {
    for (const Listener &one : listeners_)
        if (one.kind == kind && which-- == 0)
            return one.fd.get();
    throw Failure("the pod has no such listener");
}

uint16_t Pod::port(ListenerKind kind, size_t which) const {
    for (const Listener &one : listeners_)
        if (one.kind == kind && which-- == 0)
            return one.port;
    throw Failure("the pod has no such listener");
}

Descriptor Pod::acceptOutbound(bool ipv6) {
    const ListenerKind kind = ipv6 ? ListenerKind::outbound6 : ListenerKind::outbound4;
    std::vector<pollfd> watched;
    for (const Listener &one : listeners_)
        if (one.kind == kind)
            watched.push_back({one.fd.get(), POLLIN, 0});
    CHECK(poll(watched.data(), watched.size(), 5000) > 0);
    for (const pollfd &one : watched)
        if (one.revents != 0)
            return acceptOn(one.fd);
    throw Failure("poll reported nothing");
}

bool Pod::hasOutbound() const {
    for (const Listener &one : listeners_)
        if ((one.kind == ListenerKind::outbound4 || one.kind == ListenerKind::outbound6) &&
            isWaiting(one.fd.get()))
            return true;
    return false;
}

weft_pod_counters Pod::counters() const {
    const auto value = machine_.kernel().lookup("pod_counters", bytesOf(cookie_));
    CHECK(value);
    weft_pod_counters counters = {};
    memcpy(&counters, value->data(), sizeof counters);
    return counters;
}

Descriptor Pod::agentSocket(int family) const {
    auto made = makeSockets(netns_.get(), family, 1, machine_.kernel().maps().at("notes"));
    const int flags = fcntl(made[0].get(), F_GETFL);
    CHECK(fcntl(made[0].get(), F_SETFL, flags & ~O_NONBLOCK) == 0);
    return std::move(made[0]);
}

namespace {

Descriptor makeNode() {
    Descriptor node = makeNamespace();
    addBridge(node.get(), "bridge");
    return node;
}

} // namespace

Lab::Lab(Machine &of)
    : machine(of), node(makeNode()), a(of, node.get(), "a", "10.77.0.1", "fd77::1"),
      b(of, node.get(), "b", "10.77.0.2", "fd77::2"),
      outside(of, node.get(), "outside", "10.77.0.9", "fd77::9") {
    setDestination("10.77.0.0", 96 + 16, WEFT_PROXY);
    setDestination("10.78.0.0", 96 + 16, WEFT_PROXY);
    setDestination("fd77::", 64, WEFT_PROXY);
    setDestination("fd78::", 64, WEFT_PROXY);
}

Lab::~Lab() {
    for (const Bytes &key : destinations_)
        machine.kernel().remove("destinations", key);
    for (const Bytes &key : rules_)
        machine.kernel().remove("rules", key);
}

void Lab::setDestination(const std::string &ip, uint8_t bits, weft_action action, uint32_t group) {
    weft_prefix key = {};
    key.bits = bits;
    memcpy(key.ip, at(ip, 0).ip.data(), sizeof key.ip);
    const weft_destination value = {static_cast<weft_u32>(action), group};
    machine.kernel().update("destinations", bytesOf(key), bytesOf(value));
    destinations_.emplace_back(bytesOf(key).begin(), bytesOf(key).end());
}

void Lab::setRule(uint32_t source, uint32_t destination, uint16_t port, weft_verdict verdict) {
    weft_rule key = {};
    key.source = source;
    key.destination = destination;
    key.port = port;
    const uint32_t value = verdict;
    machine.kernel().update("rules", bytesOf(key), bytesOf(value));
    rules_.emplace_back(bytesOf(key).begin(), bytesOf(key).end());
}

std::optional<weft_note> Lab::noteOf(int fd) const {
    const auto value = machine.kernel().lookup("notes", bytesOf(fd));
    if (!value)
        return std::nullopt;
    weft_note note = {};
    memcpy(&note, value->data(), sizeof note);
    return note;
}

void Lab::checkAsked(int accepted, const Endpoint &wanted) const {
    const auto note = noteOf(accepted);
    CHECK(note.has_value());
    CHECK_EQUAL(note->kind, WEFT_NOTE_ORIGINAL_DESTINATION);
    CHECK_EQUAL(fromAbi(note->address), wanted);
}

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
//
// A node in small: the kernel programs, a bridge, two pods, and a namespace outside the mesh.
#pragma once

#include "loader/functional-test/sockets.hpp"
#include "loader/kernel-programs.hpp"
#include "loader/namespace.hpp"
#include "reasons.h"

#include <functional>
#include <memory>
#include <optional>

namespace weft::test {

// The machine's side, once per run: cgroups, pin folder, loaded programs.
class Machine {
public:
    explicit Machine(const std::string &object);
    ~Machine();

    KernelPrograms &kernel() { return *kernel_; }
    LoadOptions options() const { return options_; }
    uint64_t countRefusals(weft_reason reason);
    // Runs `work` in a process of its own in a cgroup below the root; its exit status is the result of the
    // check.
    void runInCgroup(const std::string &name, const std::function<void()> &work);
    std::string cgroup(const std::string &name) const { return cgroup_ + "/" + name; }
    const std::string &rootCgroup() const { return root_; }

private:
    std::string root_, cgroup_;
    LoadOptions options_;
    std::unique_ptr<KernelPrograms> kernel_;
};

// Runs `work` in a child process and fails where it does.
void runInChild(const std::function<void()> &work);

struct PodOptions {
    uint32_t flags = 0;
    uint32_t group = 0;
    bool ipv6 = true;
};

class Pod {
public:
    Pod(Machine &machine, int node, const std::string &name, const std::string &ip4, const std::string &ip6);

    // Makes the listeners and puts capture in force.
    void enrol(const PodOptions &options = {});
    void setFlags(uint32_t flags);
    void setGroup(uint32_t group);
    void closeListeners() { listeners_.clear(); }
    void withdraw();
    ~Pod();

    int netns() const { return netns_.get(); }
    int listener(ListenerKind kind, size_t which = 0) const;
    uint16_t port(ListenerKind kind, size_t which = 0) const;
    // The connection that the agent gets, on whichever of the listeners.
    Descriptor acceptOutbound(bool ipv6 = false);
    bool hasOutbound() const;
    Endpoint at4(uint16_t port) const { return at(ip4_, port); }
    Endpoint at6(uint16_t port) const { return at(ip6_, port); }
    weft_pod_counters counters() const;
    weft_pod &entry() { return entry_; }
    void writeEntry();
    // A ready-made socket, as the proxy gets it.
    Descriptor agentSocket(int family) const;

private:
    Machine &machine_;
    std::string name_, ip4_, ip6_;
    Descriptor netns_;
    uint64_t cookie_ = 0;
    std::vector<Listener> listeners_;
    weft_pod entry_ = {};
    bool enrolled_ = false;
};

class Lab {
public:
    explicit Lab(Machine &machine);
    ~Lab();

    Machine &machine;
    Descriptor node;
    Pod a, b, outside; // outside is not enrolled

    void setDestination(const std::string &ip, uint8_t bits, weft_action action, uint32_t group = 0);
    void setRule(uint32_t source, uint32_t destination, uint16_t port, weft_verdict verdict);
    std::optional<weft_note> noteOf(int fd) const;
    // Checks that a socket carries the original destination.
    void checkAsked(int accepted, const Endpoint &wanted) const;

private:
    std::vector<Bytes> destinations_, rules_;
};

// Addresses of nobody, inside the mesh's ranges.
inline const std::string virtual4 = "10.78.0.1";
inline const std::string virtual6 = "fd78::1";

Descriptor makeNamespace();
void writeFile(const std::string &path, const std::string &text);

} // namespace weft::test

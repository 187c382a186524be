// SPDX-License-Identifier: Apache-2.0
//
// What a process without any capability can do with descriptors that it was given, and what not.
#include "loader/functional-test/lab.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::test {

namespace {

constexpr uid_t nobody = 65534;

void dropEverything() {
    CHECK(setgroups(0, nullptr) == 0 && setresgid(nobody, nobody, nobody) == 0);
    CHECK(setresuid(nobody, nobody, nobody) == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    CHECK(syscall(SYS_capget, &header, data) == 0);
    CHECK(data[0].effective == 0 && data[1].effective == 0 && data[0].permitted == 0 &&
          data[1].permitted == 0);
}

void worksWithItsDescriptors(Lab &lab, int agent_socket, int notes_map) {
    const Descriptor arrived = lab.a.acceptOutbound();
    const int key = arrived.get();
    weft_note note = {};
    CHECK(bpf_map_lookup_elem(notes_map, &key, &note) == 0);
    CHECK_EQUAL(fromAbi(note.address), at(virtual4, 80));
    note = {};
    note.kind = WEFT_NOTE_REAL_CLIENT;
    note.address = toAbi(at("10.77.0.77", 7777));
    CHECK(bpf_map_update_elem(notes_map, &agent_socket, &note, BPF_ANY) == 0);
    CHECK_EQUAL(connectTo(agent_socket, AF_INET, lab.a.at4(8080)), 0);
}

void isRefusedEverythingElse(const Machine &machine, int netns) {
    CHECK(setns(netns, CLONE_NEWNET) == -1 && errno == EPERM);
    const std::string map = machine.options().pin_folder + "/v1/maps/pods";
    CHECK(bpf_obj_get(map.c_str()) < 0 && (errno == EPERM || errno == EACCES));
    CHECK(bpf_map_create(BPF_MAP_TYPE_HASH, "mine", 8, 8, 1, nullptr) < 0 && errno == EPERM);
    CHECK(bpf_link_get_fd_by_id(1) < 0 && errno == EPERM);
    const std::string other = "/proc/" + std::to_string(getppid()) + "/ns/net";
    CHECK(open(other.c_str(), O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
    CHECK(ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == -1 && errno == EPERM);
    CHECK(unshare(CLONE_NEWNET) == -1 && errno == EPERM);
    CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_TCP) == -1 && errno == EPERM);
}

void anUnprivilegedProxy(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const Descriptor application = listenAt(lab.a.netns(), lab.a.at4(8080));
    const Descriptor app = dial(lab.a.netns(), at(virtual4, 80));
    const Descriptor ready = lab.a.agentSocket(AF_INET);
    runInChild([&] {
        const int notes = machine.kernel().maps().at("notes");
        dropEverything();
        worksWithItsDescriptors(lab, ready.get(), notes);
        isRefusedEverythingElse(machine, lab.b.netns());
    });
    Endpoint shown;
    const Descriptor accepted = acceptOn(application.get(), &shown);
    CHECK_EQUAL(shown, at("10.77.0.77", 7777));
}

constexpr Case cases[] = {
    {"without capabilities the passed descriptors work, and nothing else does", anUnprivilegedProxy},
};

} // namespace

std::span<const Case> privilegeCases() {
    return cases;
}

} // namespace weft::test

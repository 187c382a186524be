// SPDX-License-Identifier: Apache-2.0
#include "loader/program-identity.hpp"

#include "loader/kernel-error.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/utsname.h>
#include <unistd.h>

namespace weft {

ProgramIdentity identify(int program) {
    ProgramIdentity identity;
    identity.maps.resize(64);
    bpf_prog_info info = {};
    info.nr_map_ids = static_cast<__u32>(identity.maps.size());
    info.map_ids = reinterpret_cast<uint64_t>(identity.maps.data());
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(program, &info, &size) != 0)
        throw KernelError("cannot read a loaded program", errno);
    identity.maps.resize(std::min<size_t>(info.nr_map_ids, identity.maps.size()));
    std::sort(identity.maps.begin(), identity.maps.end());
    memcpy(identity.tag.data(), info.tag, identity.tag.size());
    return identity;
}

Descriptor openLinked(int link) {
    bpf_link_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(link, &info, &size) != 0)
        throw KernelError("cannot read a link", errno);
    Descriptor program(bpf_prog_get_fd_by_id(info.prog_id));
    if (!program)
        throw KernelError("cannot open a linked program", errno, "capture lacks CAP_SYS_ADMIN");
    return program;
}

std::string explainLoadFailure(int error) {
    utsname system = {};
    uname(&system);
    int major = 0, minor = 0;
    if (sscanf(system.release, "%d.%d", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 1)))
        return std::string("weft needs Linux 6.1 and this is ") + system.release;
    if (error == EPERM)
        return "capture lacks CAP_BPF, CAP_NET_ADMIN or CAP_PERFMON";
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        return "the kernel was built without CONFIG_DEBUG_INFO_BTF";
    if (error == EINVAL)
        return "maps of another build may be pinned: weft clean removes them";
    return "the kernel log and libbpf's lines above say more";
}

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel-programs.hpp"

#include "loader/kernel-error.hpp"
#include "loader/program-identity.hpp"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace weft {

namespace {

constexpr std::array connect_programs = {"weft_connect4", "weft_connect6"};
// The rest sees every socket of the machine from the root, once.
constexpr std::array root_programs = {"weft_connect4",     "weft_connect6",     "weft_sockops",
                                      "weft_getpeername4", "weft_getpeername6", "weft_getsockname4",
                                      "weft_getsockname6", "weft_sendmsg4",     "weft_sendmsg6"};
constexpr std::array probe_programs = {"weft_probe4", "weft_probe6"};
constexpr const char *lookup_program = "weft_lookup";

constexpr unsigned long cgroup2_magic = 0x63677270;

Descriptor openCgroup(const std::string &path) {
    struct statfs info = {};
    Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        throw KernelError("cannot open the cgroup " + path, errno);
    if (fstatfs(fd.get(), &info) != 0 || static_cast<unsigned long>(info.f_type) != cgroup2_magic)
        throw KernelError(path + " is not a cgroup2 folder", 0,
                          "mount one: mount -t cgroup2 none /sys/fs/cgroup/unified");
    return fd;
}

std::string attachHint(int error) {
    switch (error) {
    case EPERM:
        return "capture lacks CAP_NET_ADMIN or CAP_BPF, or another program holds the hook alone: see bpftool "
               "cgroup tree";
    case EINVAL:
        return "this kernel has no such hook: weft needs Linux 6.1";
    case E2BIG:
        return "64 programs are already attached there: see bpftool cgroup tree";
    default:
        return "";
    }
}

// The link pinned at `path` if it still holds on to its target; a dead one is unpinned.
Descriptor openLivingLink(const std::string &path) {
    Descriptor link(bpf_obj_get(path.c_str()));
    if (!link)
        return link;
    bpf_link_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0)
        throw KernelError("cannot read the link pinned at " + path, errno);
    const bool alive =
        info.type == BPF_LINK_TYPE_NETNS ? info.netns.netns_ino != 0 : info.cgroup.cgroup_id != 0;
    if (alive)
        return link;
    unlink(path.c_str());
    return Descriptor();
}

} // namespace

void KernelPrograms::ObjectCloser::operator()(bpf_object *object) const {
    bpf_object__close(object);
}

KernelPrograms::~KernelPrograms() {
    if (!kept_)
        giveBack();
}

void KernelPrograms::keep() {
    kept_ = true;
    before_.clear();
    removeOtherVersions(folder_);
}

// The newest change first. What fails stays as it is: there is nobody left who could do better.
void KernelPrograms::giveBack() {
    for (; !before_.empty(); before_.pop_back()) {
        const Before &before = before_.back();
        const Descriptor link(bpf_obj_get(before.pin.c_str()));
        if (before.program) {
            if (link)
                bpf_link_update(link.get(), before.program.get(), nullptr);
            continue;
        }
        if (link)
            bpf_link_detach(link.get());
        unlink(before.pin.c_str());
    }
}

std::unique_ptr<KernelPrograms> KernelPrograms::load(const LoadOptions &options) {
    if (options.cgroups.empty())
        throw KernelError("no cgroup2 folder to attach to", 0, "mount one, or name it with --cgroup");
    std::unique_ptr<KernelPrograms> programs(new KernelPrograms());
    programs->folder_ = makePinFolder(options.pin_folder);
    programs->openObject(options);
    for (size_t at = 0; at + 1 < options.cgroups.size(); ++at)
        programs->attachCgroup(options.cgroups[at], connect_programs);
    programs->attachCgroup(options.cgroups.back(), root_programs);
    if (!options.kubelet_cgroup.empty())
        programs->attachCgroup(options.kubelet_cgroup, probe_programs);
    return programs;
}

void KernelPrograms::openObject(const LoadOptions &options) {
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
    object_.reset(bpf_object__open_file(options.object.c_str(), nullptr));
    if (!object_)
        throw KernelError("cannot open the kernel programs " + options.object, errno, "make bpf builds them");
    bpf_map *map = nullptr;
    bpf_object__for_each_map(map, object_.get()) {
        const std::string path = folder_.maps + "/" + bpf_map__name(map);
        if (bpf_map__set_pin_path(map, path.c_str()) != 0)
            throw KernelError("cannot pin a map at " + path, errno);
    }
    if (const int error = bpf_object__load(object_.get()); error != 0)
        throw KernelError("cannot load the kernel programs", -error, explainLoadFailure(-error));
    bpf_object__for_each_map(map, object_.get()) maps_[bpf_map__name(map)] = bpf_map__fd(map);
}

void KernelPrograms::attachCgroup(const std::string &path, std::span<const char *const> programs) {
    const Descriptor cgroup = openCgroup(path);
    struct stat info = {};
    if (fstat(cgroup.get(), &info) != 0)
        throw KernelError("cannot read the cgroup " + path, errno);
    for (const char *program : programs) {
        const std::string name = std::string(program) + "-" + std::to_string(info.st_ino);
        const std::string pin = folder_.links + "/" + name;
        links_[std::string(program) + " at " + path] =
            attach(program, cgroup.get(), pin, std::string("cannot attach ") + program + " to " + path);
    }
}

LinkOutcome KernelPrograms::attach(const char *name, int target, const std::string &pin,
                                   const std::string &what) {
    const bpf_program *program = bpf_object__find_program_by_name(object_.get(), name);
    if (program == nullptr)
        throw KernelError(std::string("the object has no program ") + name, 0, "it is of another version");
    const int fd = bpf_program__fd(program);
    const ProgramIdentity wanted = identify(fd);
    if (Descriptor link = openLivingLink(pin); link) {
        Descriptor before = openLinked(link.get());
        if (identify(before.get()) == wanted)
            return LinkOutcome::kept;
        if (bpf_link_update(link.get(), fd, nullptr) != 0)
            throw KernelError("cannot replace the program of " + pin, errno);
        if (!kept_)
            before_.push_back({pin, std::move(before)});
        return LinkOutcome::replaced;
    }
    Descriptor link(bpf_link_create(fd, target, bpf_program__expected_attach_type(program), nullptr));
    if (!link)
        throw KernelError(what, errno, attachHint(errno));
    if (bpf_obj_pin(link.get(), pin.c_str()) != 0)
        throw KernelError("cannot pin the link at " + pin, errno);
    if (!kept_)
        before_.push_back({pin, Descriptor()});
    return LinkOutcome::created;
}

LinkOutcome KernelPrograms::attachNamespace(int netns, const std::string &name) {
    return attach(lookup_program, netns, folder_.namespaces + "/" + name,
                  std::string("cannot attach sk_lookup to the namespace of ") + name);
}

void KernelPrograms::detachNamespace(const std::string &name) {
    const std::string pin = folder_.namespaces + "/" + name;
    // The pin may go while a process still holds the link, so the link is detached first.
    if (Descriptor link(bpf_obj_get(pin.c_str())); link)
        bpf_link_detach(link.get());
    if (unlink(pin.c_str()) != 0 && errno != ENOENT)
        throw KernelError("cannot unpin " + pin, errno);
}

std::map<std::string, bool> KernelPrograms::listNamespaces() const {
    std::map<std::string, bool> found;
    for (const auto &entry : std::filesystem::directory_iterator(folder_.namespaces)) {
        bpf_link_info info = {};
        __u32 size = sizeof info;
        Descriptor link(bpf_obj_get(entry.path().c_str()));
        found[entry.path().filename()] =
            link && bpf_obj_get_info_by_fd(link.get(), &info, &size) == 0 && info.netns.netns_ino != 0;
    }
    return found;
}

Descriptor KernelPrograms::attachNamespaceUnpinned(int netns) {
    const bpf_program *program = bpf_object__find_program_by_name(object_.get(), lookup_program);
    Descriptor link(bpf_link_create(bpf_program__fd(program), netns, BPF_SK_LOOKUP, nullptr));
    if (!link)
        throw KernelError("cannot attach sk_lookup to a namespace", errno, attachHint(errno));
    return link;
}

int KernelPrograms::findMap(const std::string &map) const {
    const auto found = maps_.find(map);
    if (found == maps_.end())
        throw KernelError("there is no map " + map, 0);
    return found->second;
}

namespace {

bpf_map_info readMapInfo(int fd) {
    bpf_map_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
        throw KernelError("cannot read a map's format", errno);
    return info;
}

void checkSize(const std::string &map, const char *part, size_t given, size_t wanted) {
    if (given != wanted)
        throw KernelError("a " + std::string(part) + " of " + map + " has " + std::to_string(wanted) +
                              " bytes, not " + std::to_string(given),
                          0);
}

} // namespace

std::optional<Bytes> KernelPrograms::lookup(const std::string &map, std::span<const uint8_t> key) const {
    const int fd = findMap(map);
    const bpf_map_info info = readMapInfo(fd);
    checkSize(map, "key", key.size(), info.key_size);
    Bytes value(info.value_size);
    if (bpf_map_lookup_elem(fd, key.data(), value.data()) == 0)
        return value;
    if (errno == ENOENT)
        return std::nullopt;
    throw KernelError("cannot read map " + map, errno);
}

void KernelPrograms::update(const std::string &map, std::span<const uint8_t> key,
                            std::span<const uint8_t> value) {
    const int fd = findMap(map);
    const bpf_map_info info = readMapInfo(fd);
    checkSize(map, "key", key.size(), info.key_size);
    checkSize(map, "value", value.size(), info.value_size);
    if (bpf_map_update_elem(fd, key.data(), value.data(), BPF_ANY) != 0)
        throw KernelError("cannot write map " + map, errno, errno == E2BIG ? "it is full" : "");
}

bool KernelPrograms::remove(const std::string &map, std::span<const uint8_t> key) {
    const int fd = findMap(map);
    checkSize(map, "key", key.size(), readMapInfo(fd).key_size);
    if (bpf_map_delete_elem(fd, key.data()) == 0)
        return true;
    if (errno == ENOENT || errno == EINVAL)
        return false;
    throw KernelError("cannot remove from map " + map, errno);
}

std::vector<Bytes> KernelPrograms::keys(const std::string &map) const {
    const int fd = findMap(map);
    const bpf_map_info info = readMapInfo(fd);
    std::vector<Bytes> keys;
    Bytes key(info.key_size);
    const void *previous = nullptr;
    // A map that changes meanwhile may restart the walk; the bound keeps it finite.
    while (keys.size() <= info.max_entries && bpf_map_get_next_key(fd, previous, key.data()) == 0) {
        keys.push_back(key);
        previous = keys.back().data();
    }
    return keys;
}

std::vector<uint64_t> KernelPrograms::sumCounters(const std::string &map) const {
    const int fd = findMap(map);
    const bpf_map_info info = readMapInfo(fd);
    if (info.type != BPF_MAP_TYPE_PERCPU_ARRAY || info.value_size != sizeof(uint64_t))
        throw KernelError(map + " is not an array of counters", 0);
    std::vector<uint64_t> slots(static_cast<size_t>(libbpf_num_possible_cpus()));
    std::vector<uint64_t> sums;
    for (uint32_t slot = 0; slot < info.max_entries; ++slot) {
        if (bpf_map_lookup_elem(fd, &slot, slots.data()) != 0)
            throw KernelError("cannot read map " + map, errno);
        uint64_t sum = 0;
        for (const uint64_t count : slots)
            sum += count;
        sums.push_back(sum);
    }
    return sums;
}

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "loader/pin-folder.hpp"

#include "abi.h"
#include "channel/packet-socket.hpp"
#include "loader/kernel-error.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <filesystem>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace weft {

namespace fs = std::filesystem;

namespace {

bool isBpfFileSystem(const std::string &path) {
    struct statfs info = {};
    return statfs(path.c_str(), &info) == 0 && static_cast<unsigned long>(info.f_type) == BPF_FS_MAGIC;
}

void makeFolder(const std::string &path) {
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw KernelError("cannot make the pin folder " + path, errno);
}

bool isVersion(const std::string &name) {
    return name.size() > 1 && name[0] == 'v' && name.find_first_not_of("0123456789", 1) == std::string::npos;
}

void removeEntry(const fs::path &path, Removed &removed) {
    Descriptor fd(bpf_obj_get(path.c_str()));
    bpf_link_info info = {};
    __u32 size = sizeof info;
    // Only a link has this info; for a map the call fails or fills a map's info, so the folder decides.
    if (fd && path.parent_path().filename() != "maps" && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0)
        removed.links.push_back(info.id);
    std::error_code error;
    if (!fs::remove(path, error) && error)
        throw KernelError("cannot remove " + path.string(), error.value());
    removed.pins.push_back(path.string());
}

void removeFolder(const fs::path &path) {
    std::error_code error;
    if (!fs::remove(path, error) && error)
        throw KernelError("cannot remove the folder " + path.string(), error.value(),
                          "it holds something that weft did not pin");
}

void removeVersion(const fs::path &version, Removed &removed) {
    // Links first: as soon as they are gone nothing reads the maps.
    for (const char *kind : {"links", "namespaces", "maps"}) {
        const fs::path folder = version / kind;
        if (!fs::is_directory(folder))
            continue;
        for (const fs::directory_entry &entry : fs::directory_iterator(folder))
            removeEntry(entry.path(), removed);
        removeFolder(folder);
    }
    removeFolder(version);
}

} // namespace

PinFolder makePinFolder(const std::string &base) {
    const std::string parent = fs::path(base).parent_path().string();
    if (!isBpfFileSystem(base) && !isBpfFileSystem(parent))
        throw KernelError(base + " is not on a bpf file system", 0, "mount -t bpf bpf /sys/fs/bpf");
    const std::string version = base + "/v" + std::to_string(static_cast<int>(WEFT_ABI_VERSION));
    const PinFolder folder = {base, version, version + "/maps", version + "/links", version + "/namespaces"};
    for (const std::string &path :
         {folder.base, folder.version, folder.maps, folder.links, folder.namespaces})
        makeFolder(path);
    return folder;
}

void removeOtherVersions(const PinFolder &folder) {
    Removed removed;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder.base))
        if (isVersion(entry.path().filename()) && entry.path() != folder.version)
            removeVersion(entry.path(), removed);
}

Removed removePins(const std::string &base) {
    Removed removed;
    if (!fs::exists(base))
        return removed;
    if (!isBpfFileSystem(base))
        throw KernelError(base + " is not on a bpf file system, so weft did not make it", 0);
    for (const fs::directory_entry &entry : fs::directory_iterator(base))
        if (isVersion(entry.path().filename()))
            removeVersion(entry.path(), removed);
    removeFolder(base);
    return removed;
}

std::vector<uint32_t> findLinks(const std::vector<uint32_t> &links) {
    std::vector<uint32_t> found;
    for (const uint32_t id : links)
        if (Descriptor(bpf_link_get_fd_by_id(id)))
            found.push_back(id);
    return found;
}

} // namespace weft

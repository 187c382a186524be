// SPDX-License-Identifier: Apache-2.0
//
// The kernel programs of this node: open, configure, load, attach, pin (libbpf). Everything throws
// KernelError.
#pragma once

#include "channel/packet-socket.hpp"
#include "loader/pin-folder.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct bpf_link_info;
struct bpf_object;
struct bpf_program;

namespace weft {

struct LoadOptions {
    std::string object;     // made by bpf-linker
    std::string pin_folder; // on a bpf file system
    // cgroup2 folders: the pods' own first, then the root; the last one gets every program, the others
    // connect4|6.
    std::vector<std::string> cgroups;
    std::string kubelet_cgroup; // empty: no probe bypass
};

enum class LinkOutcome { created, kept, replaced };

using Bytes = std::vector<uint8_t>;

class KernelPrograms {
public:
    // Reuses the maps that are pinned. A pinned link keeps its program where tag and maps are the same, and
    // gets the new one in place (bpf_link_update) where they are not: no connection meets a moment without a
    // program. Until keep() the links can go back to what they were: the destructor sees to it.
    static std::unique_ptr<KernelPrograms> load(const LoadOptions &options);
    ~KernelPrograms();
    // From here on what is attached stays, whatever becomes of this object. Pins of other versions go.
    void keep();
    KernelPrograms(const KernelPrograms &) = delete;
    KernelPrograms &operator=(const KernelPrograms &) = delete;

    const std::map<std::string, int> &maps() const { return maps_; }
    const std::map<std::string, LinkOutcome> &links() const { return links_; }

    // sk_lookup on one namespace, pinned under a name of [a-z0-9-].
    LinkOutcome attachNamespace(int netns, const std::string &name);
    void detachNamespace(const std::string &name);
    // Names that are pinned, and whether each one's namespace still exists.
    std::map<std::string, bool> listNamespaces() const;
    // Attached as long as the descriptor is open.
    Descriptor attachNamespaceUnpinned(int netns);

    std::optional<Bytes> lookup(const std::string &map, std::span<const uint8_t> key) const;
    void update(const std::string &map, std::span<const uint8_t> key, std::span<const uint8_t> value);
    bool remove(const std::string &map, std::span<const uint8_t> key);
    std::vector<Bytes> keys(const std::string &map) const;
    std::vector<uint64_t> sumCounters(const std::string &map) const;

private:
    KernelPrograms() = default;
    void openObject(const LoadOptions &options);
    void attachCgroup(const std::string &path, std::span<const char *const> programs);
    LinkOutcome attach(const char *program, int target, const std::string &pin, const std::string &what);
    int findMap(const std::string &map) const;
    void giveBack();

    struct ObjectCloser {
        void operator()(bpf_object *object) const;
    };
    std::unique_ptr<bpf_object, ObjectCloser> object_;
    PinFolder folder_;
    std::map<std::string, int> maps_;
    std::map<std::string, LinkOutcome> links_;
    // What a link was before: its program; none where it did not exist.
    struct Before {
        std::string pin;
        Descriptor program;
    };
    std::vector<Before> before_;
    bool kept_ = false;
};

} // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/lab.hpp"
#include "loader/kernel-error.hpp"
#include "loader/self-test.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weft::test {

namespace {

std::string tryOpen(const std::vector<std::string> &folders, const std::string &name) {
    try {
        openNamespace(folders, name);
        return "";
    } catch (const KernelError &error) {
        return error.what();
    }
}

// A folder with a file that stands for a namespace, as `ip netns add` makes it.
class NamedNamespace {
public:
    explicit NamedNamespace(int netns) {
        char path[] = "/tmp/weft-k-XXXXXX";
        CHECK(mkdtemp(path) != nullptr);
        folder = path;
        for (const char *name : {"/pod", "/own", "/plain"})
            CHECK(Descriptor(open((folder + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
        const std::string source = "/proc/self/fd/" + std::to_string(netns);
        CHECK(mount(source.c_str(), (folder + "/pod").c_str(), nullptr, MS_BIND, nullptr) == 0);
        CHECK(mount("/proc/self/ns/net", (folder + "/own").c_str(), nullptr, MS_BIND, nullptr) == 0);
        CHECK(symlink("pod", (folder + "/link").c_str()) == 0);
    }
    NamedNamespace(const NamedNamespace &) = delete;
    NamedNamespace &operator=(const NamedNamespace &) = delete;
    ~NamedNamespace() {
        for (const char *name : {"/pod", "/own"})
            umount2((folder + name).c_str(), MNT_DETACH);
        for (const char *name : {"/pod", "/own", "/plain", "/link"})
            unlink((folder + name).c_str());
        rmdir(folder.c_str());
    }
    std::string folder;
};

void opensOnlyPodsNamespaces(Machine &machine) {
    Lab lab(machine);
    const NamedNamespace named(lab.a.netns());
    const std::vector<std::string> folders = {"/nowhere", named.folder};
    const Descriptor opened = openNamespace(folders, "pod");
    CHECK(identifyNamespace(opened.get()) == identifyNamespace(lab.a.netns()));
    CHECK(readNamespaceCookie(opened.get()) == readNamespaceCookie(lab.a.netns()));
    for (const char *name : {"", ".", "..", "../pod", "/proc/self/ns/net", "a/b", "pod\n"})
        CHECK(tryOpen(folders, name).find("no name of a namespace") != std::string::npos);
    CHECK(tryOpen(folders, "own").find("the machine's own") != std::string::npos);
    CHECK(tryOpen(folders, "plain").find("not a network namespace") != std::string::npos);
    CHECK(tryOpen(folders, "link").find("cannot open") != std::string::npos);
    CHECK(tryOpen(folders, "none").find("there is no namespace") != std::string::npos);
}

void refusesLoopbackThatIsDown(Machine &) {
    Descriptor netns;
    runInChild([] {
        CHECK(unshare(CLONE_NEWNET) == 0);
        const Descriptor own(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
        try {
            makeListeners(own.get());
        } catch (const KernelError &error) {
            CHECK(std::string(error.what()).find("loopback is down") != std::string::npos);
            return;
        }
        throw Failure("listeners were made");
    });
}

// Start keeps what is the same, and replaces in place what is not, with no connection in between refused.
void startKeepsAndReplaces(Machine &machine) {
    Lab lab(machine);
    lab.a.enrol();
    const auto again = KernelPrograms::load(machine.options());
    for (const auto &[name, outcome] : again->links())
        if (outcome != LinkOutcome::kept)
            throw Failure(name + " was not kept");
    CHECK(again->attachNamespace(lab.a.netns(), "test-a") == LinkOutcome::kept);
    struct stat root = {};
    CHECK(stat(machine.rootCgroup().c_str(), &root) == 0);
    const std::string folder = machine.options().pin_folder + "/v1/links/weft_connect4-";
    const Descriptor link(bpf_obj_get((folder + std::to_string(root.st_ino)).c_str()));
    struct stat kubelet = {};
    CHECK(stat(machine.cgroup("kubelet").c_str(), &kubelet) == 0);
    const std::string probe = machine.options().pin_folder + "/v1/links/weft_probe4-";
    const Descriptor other(bpf_obj_get((probe + std::to_string(kubelet.st_ino)).c_str()));
    bpf_link_info info = {};
    __u32 size = sizeof info;
    CHECK(link && other && bpf_obj_get_info_by_fd(other.get(), &info, &size) == 0);
    const Descriptor wrong(bpf_prog_get_fd_by_id(info.prog_id));
    CHECK(bpf_link_update(link.get(), wrong.get(), nullptr) == 0);
    const uint32_t wrong_id = info.prog_id;
    const auto programOf = [&info, &size](int fd) {
        CHECK(bpf_obj_get_info_by_fd(fd, &info, &size) == 0);
        return info.prog_id;
    };
    // Who starts and gives up leaves the link as it was.
    CHECK(KernelPrograms::load(machine.options())->links().at("weft_connect4 at " + machine.rootCgroup()) ==
          LinkOutcome::replaced);
    CHECK_EQUAL(programOf(link.get()), wrong_id);
    const auto mended = KernelPrograms::load(machine.options());
    CHECK(mended->links().at("weft_connect4 at " + machine.rootCgroup()) == LinkOutcome::replaced);
    CHECK(mended->links().at("weft_connect6 at " + machine.rootCgroup()) == LinkOutcome::kept);
    mended->keep();
    CHECK(programOf(link.get()) != wrong_id);
    const Descriptor app = dial(lab.a.netns(), at(virtual4, 80));
    const Descriptor agent = lab.a.acceptOutbound();
    lab.checkAsked(agent.get(), at(virtual4, 80));
}

// Links that were not there before are gone again where their maker gives up.
void givingUpLeavesNoLink(Machine &machine) {
    LoadOptions options = machine.options();
    options.pin_folder += "-given-up";
    KernelPrograms::load(options);
    CHECK(removePins(options.pin_folder).links.empty());
}

void aNamespaceThatIsGoneIsSeen(Machine &machine) {
    KernelPrograms &kernel = machine.kernel();
    {
        const Descriptor netns = makeNamespace();
        CHECK(kernel.attachNamespace(netns.get(), "test-gone") == LinkOutcome::created);
        CHECK(kernel.listNamespaces().at("test-gone"));
    }
    // The kernel takes a namespace down in its own time.
    for (int tries = 0; tries < 500 && kernel.listNamespaces().at("test-gone"); ++tries)
        poll(nullptr, 0, 10);
    CHECK(!kernel.listNamespaces().at("test-gone"));
    kernel.detachNamespace("test-gone");
    CHECK(kernel.listNamespaces().empty());
}

void theSelfTestPasses(Machine &machine) {
    runSelfTest(machine.kernel());
    CHECK(machine.kernel().keys("pods").empty() && machine.kernel().keys("addresses").empty());
    CHECK(machine.kernel().keys("destinations").empty());
}

void cleaningLeavesNothing(Machine &machine) {
    LoadOptions options = machine.options();
    options.pin_folder += "-clean";
    KernelPrograms::load(options)->keep();
    const Removed removed = removePins(options.pin_folder);
    CHECK_EQUAL(removed.links.size(), 13u);
    for (int tries = 0; tries < 500 && !findLinks(removed.links).empty(); ++tries)
        poll(nullptr, 0, 10);
    CHECK(findLinks(removed.links).empty());
    CHECK(access(options.pin_folder.c_str(), F_OK) == -1 && errno == ENOENT);
    CHECK(removePins(options.pin_folder).pins.empty());
    try {
        removePins("/tmp");
        throw Failure("/tmp was taken for a pin folder");
    } catch (const KernelError &) {
    }
}

void saysWhatIsWrong(Machine &machine) {
    const auto explain = [](const LoadOptions &options) -> std::string {
        try {
            KernelPrograms::load(options);
            return "";
        } catch (const KernelError &error) {
            return error.what();
        }
    };
    LoadOptions options = machine.options();
    options.pin_folder = "/tmp/weft-k-no-bpf";
    CHECK(explain(options).find("mount -t bpf") != std::string::npos);
    options = machine.options();
    options.cgroups = {"/tmp"};
    CHECK(explain(options).find("is not a cgroup2 folder") != std::string::npos);
    options.cgroups = {};
    CHECK(explain(options).find("no cgroup2 folder") != std::string::npos);
    options = machine.options();
    options.object = "/nowhere.o";
    CHECK(explain(options).find("make bpf builds them") != std::string::npos);
}

constexpr Case cases[] = {
    {"a pod's namespace is opened by name; paths, links and the machine's own are refused",
     opensOnlyPodsNamespaces},
    {"a namespace whose loopback is down is refused", refusesLoopbackThatIsDown},
    {"the self-test passes and leaves no entry", theSelfTestPasses},
    {"a second start keeps the links and replaces a changed program in place", startKeepsAndReplaces},
    {"a namespace that is gone is seen", aNamespaceThatIsGoneIsSeen},
    {"who gives up before it keeps what it attached leaves no link", givingUpLeavesNoLink},
    {"cleaning removes every pin and link", cleaningLeavesNothing},
    {"a failed start says what is wrong", saysWhatIsWrong},
};

} // namespace

std::span<const Case> loaderCases() {
    return cases;
}

} // namespace weft::test

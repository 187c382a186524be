// SPDX-License-Identifier: Apache-2.0
// Whole calls, with a socket of capture's that this test serves.
#include "cni/run.hpp"

#include "channel/packet-socket.hpp"
#include "engine/test/testing.hpp"

#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace weft::cni {
namespace {

constexpr std::string_view arguments = "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-1;K8S_POD_UID=u-1";
constexpr Environment add = {"ADD", "c1", "/run/netns/cni-1", arguments};

// A folder with capture's list of namespaces and, where asked for, its socket.
class Node {
public:
    explicit Node(const std::string &list) {
        CHECK(mkdtemp(folder_.data()) != nullptr);
        const Descriptor file(open(path("list.json").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        CHECK(write(file.get(), list.data(), list.size()) == static_cast<ssize_t>(list.size()));
    }
    Node(const Node &) = delete;
    Node &operator=(const Node &) = delete;
    ~Node() {
        if (capture_.joinable())
            capture_.join();
        unlink(path("list.json").c_str());
        unlink(path("cni.sock").c_str());
        rmdir(folder_.c_str());
    }

    // Answers each of so many questions after `delay_ms`, from then on.
    void startCapture(std::string answer, int questions = 1, int delay_ms = 0) {
        capture_ = std::thread([this, answer = std::move(answer), questions, delay_ms] {
            poll(nullptr, 0, delay_ms);
            const Descriptor listener(listenPackets(path("cni.sock"), geteuid()));
            for (int count = 0; count < questions; ++count)
                serve(listener.get(), answer);
        });
        while (delay_ms == 0 && access(path("cni.sock").c_str(), F_OK) != 0)
            std::this_thread::yield();
    }

    std::string configuration(int wait_ms) const {
        return writeJson({{"cniVersion", "1.0.0"},
                          {"socket", path("cni.sock")},
                          {"namespacesFile", path("list.json")},
                          {"exemptNamespaces", {"kube-system"}},
                          {"waitMs", wait_ms},
                          {"prevResult", {{"ips", {{{"address", "10.1.0.2/24"}}}}}}});
    }

    // What capture was asked last. Read it once the plugin has ended.
    Json question() {
        capture_.join();
        return question_;
    }

private:
    std::string path(const char *name) const { return folder_ + "/" + name; }

    void serve(int listener, const std::string &answer) {
        pollfd wait = {listener, POLLIN, 0};
        poll(&wait, 1, 5'000);
        const Descriptor end(acceptPackets(listener));
        wait.fd = end.get();
        poll(&wait, 1, 5'000);
        Packet packet;
        CHECK_EQUAL(receivePacket(end.get(), packet), 1);
        question_ = parseJson({reinterpret_cast<const char *>(packet.bytes.data()), packet.bytes.size()})
                        .value_or(Json());
        const std::span bytes(reinterpret_cast<const uint8_t *>(answer.data()), answer.size());
        if (!answer.empty())
            sendPacket(end.get(), bytes, {});
    }

    std::string folder_ = "/tmp/weft-cni-test-XXXXXX";
    std::thread capture_;
    Json question_;
};

int codeOf(const Outcome &outcome) {
    const auto error = parseJson(outcome.output);
    return error && outcome.status == 1 ? fieldOf(*error, "code").get<int>() : 0;
}

CASE("a pod of an enrolled namespace is told to capture, and passes once it is held") {
    Node node("[\"shop\"]");
    node.startCapture("{\"type\":\"held\"}");
    const Outcome outcome = run(add, node.configuration(5'000));
    CHECK_EQUAL(outcome.status, 0);
    CHECK_EQUAL(outcome.output,
                std::string("{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.2/24\"}]}"));
    const Json wanted = {
        {"type", "add"},   {"container", "c1"}, {"workload", "u-1"},        {"namespace", "shop"},
        {"pod", "cart-1"}, {"netns", "cni-1"},  {"addresses", {"10.1.0.2"}}};
    CHECK(node.question() == wanted);
}

CASE("it waits for capture that comes late") {
    Node node("[\"shop\"]");
    node.startCapture("{\"type\":\"held\"}", 1, 200);
    CHECK_EQUAL(run(add, node.configuration(5'000)).status, 0);
}

CASE("it asks again where capture goes without an answer") {
    Node node("[\"shop\"]");
    node.startCapture("", 2);
    CHECK_EQUAL(codeOf(run(add, node.configuration(300))), 11);
}

CASE("with capture away a pod of an enrolled namespace fails with 'try again later', another's passes") {
    CHECK_EQUAL(codeOf(run(add, Node("[\"shop\"]").configuration(50))), 11);
    CHECK_EQUAL(codeOf(run(add, Node("broken").configuration(50))), 11);
    CHECK_EQUAL(run(add, Node("[\"till\"]").configuration(60'000)).status, 0);
}

CASE("a pod whose uid the runtime does not tell fails where it belongs into the mesh") {
    const Environment nameless = {"ADD", "c1", "/run/netns/n", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=a"};
    CHECK_EQUAL(codeOf(run(nameless, Node("[\"shop\"]").configuration(50))), 11);
    CHECK_EQUAL(run(nameless, Node("[]").configuration(50)).status, 0);
}

CASE("DEL, GC and STATUS succeed without capture; CHECK of a captured pod says nothing") {
    const Node away("[\"shop\"]");
    for (const std::string_view command : {"DEL", "GC", "STATUS"}) {
        const Outcome outcome = run({command, "c1", "", arguments}, away.configuration(60'000));
        CHECK_EQUAL(outcome.status, 0);
        CHECK_EQUAL(outcome.output, std::string());
    }
    Node node("[\"shop\"]");
    node.startCapture("{\"type\":\"held\"}");
    const Outcome outcome = run({"CHECK", "c1", "/run/netns/cni-1", arguments}, node.configuration(5'000));
    CHECK_EQUAL(outcome.status, 0);
    CHECK_EQUAL(outcome.output, std::string());
}

CASE("CHECK fails where the pod is not captured") {
    Node node("[\"shop\"]");
    node.startCapture("{\"type\":\"missing\"}");
    CHECK_EQUAL(codeOf(run({"CHECK", "c1", "/n/n", arguments}, node.configuration(5'000))), 100);
}

CASE("VERSION lists what it speaks, to a runtime of any version") {
    const auto answer = parseJson(run({"VERSION", "", "", ""}, "{\"cniVersion\":\"9.0.0\"}").output);
    CHECK(answer && fieldOf(*answer, "supportedVersions").size() == 4);
}

} // namespace
} // namespace weft::cni

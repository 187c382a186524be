// SPDX-License-Identifier: Apache-2.0
#include "cni/read-request.hpp"

#include "engine/test/testing.hpp"

namespace weft::cni {
namespace {

constexpr std::string_view arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-1;K8S_POD_"
                                       "INFRA_CONTAINER_ID=c1;K8S_POD_UID=u-1";
constexpr Environment environment = {"ADD", "c1", "/var/run/netns/cni-1", arguments};

Json configuration() {
    return {{"cniVersion", "1.0.0"},
            {"name", "pods"},
            {"type", "weft-cni"},
            {"socket", "/run/weft/cni.sock"},
            {"namespacesFile", "/var/lib/weft/enrolled-namespaces.json"},
            {"exemptNamespaces", {"kube-system"}},
            {"waitMs", 20'000},
            {"runtimeConfig", {{"portMappings", Json::array()}}},
            {"prevResult",
             {{"cniVersion", "1.0.0"},
              {"interfaces", {{{"name", "eth0"}, {"sandbox", "/var/run/netns/cni-1"}}}},
              {"ips", {{{"address", "10.244.0.7/24"}, {"interface", 0}}, {{"address", "FD78:0::7/64"}}}},
              {"dns", {{"foreign", {1, nullptr, "x"}}}}}}};
}

Code codeOf(const Environment &of, const Json &given) {
    const auto read = readRequest(of, writeJson(given));
    const auto *failure = std::get_if<Failure>(&read);
    return failure != nullptr ? failure->code : Code{};
}

CASE("a pod's ADD is read, with the addresses of the plugins before in canonical text") {
    const auto read = readRequest(environment, writeJson(configuration()));
    const auto *request = std::get_if<Request>(&read);
    CHECK(request != nullptr);
    if (request == nullptr)
        return;
    CHECK_EQUAL(request->container, std::string("c1"));
    CHECK_EQUAL(request->netns, std::string("cni-1"));
    CHECK_EQUAL(request->pod.space, std::string("shop"));
    CHECK_EQUAL(request->pod.uid, std::string("u-1"));
    CHECK_EQUAL(request->addresses.size(), size_t{2});
    CHECK_EQUAL(request->addresses.back(), std::string("fd78::7"));
    CHECK_EQUAL(request->settings.wait_ms, 20'000);
}

CASE("the result of the plugins before is handed on whole, in the version that the runtime speaks") {
    Json given = configuration();
    given["cniVersion"] = "1.1.0";
    const auto read = readRequest(environment, writeJson(given));
    const auto *request = std::get_if<Request>(&read);
    CHECK(request != nullptr);
    Json wanted = configuration()["prevResult"];
    wanted["cniVersion"] = "1.1.0";
    CHECK(request != nullptr && request->result == wanted);
}

CASE("a sandbox of no pod has no namespace of Kubernetes") {
    const auto read = readRequest({"ADD", "c1", "/run/netns/n", ""}, writeJson(configuration()));
    const auto *request = std::get_if<Request>(&read);
    CHECK(request != nullptr && request->pod.space.empty());
}

CASE("DEL needs neither a namespace nor a result") {
    Json given = configuration();
    given.erase("prevResult");
    const auto read = readRequest({"DEL", "c1", "", arguments}, writeJson(given));
    CHECK(std::get_if<Request>(&read) != nullptr);
}

CASE("what the runtime sets wrong is refused with the specification's codes") {
    CHECK(codeOf({"add", "c1", "/n/n", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "", "/n/n", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "../c1", "/n/n", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "c1", "", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "c1", "n", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "c1", "/n/..", ""}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "c1", "/n/n", "K8S_POD_UID=a\"b"}, configuration()) == Code::invalid_environment);
    CHECK(codeOf({"ADD", "c1", "/n/n", "K8S_POD_NAMESPACE=a/b"}, configuration()) ==
          Code::invalid_environment);
    CHECK(codeOf(environment, Json::array()) == Code::unreadable);
}

CASE("a configuration with a wrong or missing field is refused, and another version by its own code") {
    for (const char *field : {"socket", "namespacesFile", "exemptNamespaces", "waitMs", "prevResult"}) {
        Json given = configuration();
        given.erase(field);
        CHECK(codeOf(environment, given) == Code::invalid_configuration);
        given[field] = true;
        CHECK(codeOf(environment, given) == Code::invalid_configuration);
    }
    Json given = configuration();
    given["prevResult"]["ips"] = {{{"address", "10.0.0.1.2/24"}}};
    CHECK(codeOf(environment, given) == Code::invalid_configuration);
    given = configuration();
    given["waitMs"] = -1;
    CHECK(codeOf(environment, given) == Code::invalid_configuration);
    given["cniVersion"] = "0.2.0";
    CHECK(codeOf(environment, given) == Code::incompatible_version);
    given.erase("cniVersion");
    CHECK(codeOf(environment, given) == Code::incompatible_version);
}

CASE("JSON deeper than it can be written again is refused, and so is what is no JSON") {
    const std::string deep = std::string(100, '[') + std::string(100, ']');
    Json given = configuration();
    CHECK(!parseJson(deep));
    const auto read = readRequest(environment, "{\"cniVersion\":\"1.0.0\",\"prevResult\":" + deep + "}");
    const auto *failure = std::get_if<Failure>(&read);
    CHECK(failure != nullptr && failure->code == Code::unreadable);
    CHECK(!parseJson("{\"a\":1} x") && !parseJson("") && !parseJson("\"\xff\""));
}

} // namespace
} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "cni/run.hpp"

#include "cni/ask-capture.hpp"
#include "cni/decide.hpp"

#include <utility>

namespace weft::cni {

namespace {

Outcome fail(const Failure &failure, const std::string &version) {
    const Json error = {{"cniVersion", version.empty() ? std::string(own_version) : version},
                        {"code", static_cast<int>(failure.code)},
                        {"msg", "weft: " + failure.message},
                        {"details", failure.details}};
    return {writeJson(error), 1};
}

// The pod is captured, or need not be, before this returns.
std::optional<Failure> settle(const Request &request) {
    if (!isWefts(request))
        return std::nullopt;
    const Membership membership = readMembership(request.settings.namespaces_file, request.pod.space);
    if (request.pod.uid.empty()) {
        const Answer nobody = {Answer::Kind::refused,
                               "the container runtime does not tell the pod's uid (K8S_POD_UID of CNI_ARGS)"};
        return membership == Membership::other ? std::nullopt : decide(request, nobody, membership);
    }
    const Answer answer =
        askCapture(request.settings.socket, writeQuestion(request), waitFor(request, membership));
    return decide(request, answer, membership);
}

} // namespace

Outcome run(const Environment &environment, std::string_view configuration) {
    auto read = readRequest(environment, configuration);
    if (const auto *failure = std::get_if<Failure>(&read))
        return fail(*failure, "");
    const Request &request = std::get<Request>(read);
    switch (request.command) {
    case Command::version:
        return {writeJson({{"cniVersion", own_version}, {"supportedVersions", supported_versions}}), 0};
    case Command::status:
        // Ready also while capture is away: pods outside the mesh can start, weft's own among them. A node
        // that were called not ready for want of weft could never start it.
    case Command::gc:
        // The plugin keeps nothing; capture lets go of namespaces that are gone by itself.
        return {};
    case Command::del:
        // Never in the way of a pod's end, whether capture is there or not.
        if (isWefts(request))
            askCapture(request.settings.socket, writeQuestion(request), 0);
        return {};
    case Command::check:
    case Command::add: {
        if (const auto failure = settle(request))
            return fail(*failure, request.version);
        return {request.command == Command::add ? writeJson(request.result) : std::string(), 0};
    }
    }
    return {};
}

} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "cni/decide.hpp"

#include <algorithm>

namespace weft::cni {

namespace {

std::string nameOf(const Request &request) {
    return "pod " + request.pod.space + "/" + request.pod.name;
}

Failure failAway(const Request &request, const Answer &answer, Membership membership) {
    if (membership == Membership::unknown)
        return {Code::try_again,
                nameOf(request) +
                    " may belong into the mesh, and nobody can tell: weft's capture is away, and its list " +
                    request.settings.namespaces_file + " cannot be read",
                answer.message + "; start weft's DaemonSet on this node, or remove weft-cni from the chain"};
    return {Code::try_again, nameOf(request) + " belongs into the mesh, and weft's capture does not answer",
            answer.message + "; is weft's DaemonSet running on this node?"};
}

} // namespace

bool isWefts(const Request &request) {
    const auto &exempt = request.settings.exempt;
    return !request.pod.space.empty() &&
           std::find(exempt.begin(), exempt.end(), request.pod.space) == exempt.end();
}

int waitFor(const Request &request, Membership membership) {
    return membership == Membership::other ? 0 : request.settings.wait_ms;
}

std::string writeQuestion(const Request &request) {
    if (request.command == Command::del)
        return writeJson({{"type", "del"}, {"container", request.container}});
    return writeJson({{"type", request.command == Command::check ? "check" : "add"},
                      {"container", request.container},
                      {"workload", request.pod.uid},
                      {"namespace", request.pod.space},
                      {"pod", request.pod.name},
                      {"netns", request.netns},
                      {"addresses", request.addresses}});
}

Answer readAnswer(std::string_view packet) {
    const auto answer = parseJson(packet);
    const auto type = answer ? textOf(fieldOf(*answer, "type")) : std::nullopt;
    if (type == "held")
        return {Answer::Kind::held, ""};
    if (type == "outside")
        return {Answer::Kind::outside, ""};
    if (type == "missing")
        return {Answer::Kind::missing, ""};
    if (type == "refused")
        return {Answer::Kind::refused, textOf(fieldOf(*answer, "message")).value_or("it does not say why")};
    return {Answer::Kind::away, "what capture answers is not understood; is weft-cni of another version?"};
}

std::optional<Failure> decide(const Request &request, const Answer &answer, Membership membership) {
    switch (answer.kind) {
    case Answer::Kind::held:
    case Answer::Kind::outside:
        return std::nullopt;
    case Answer::Kind::missing:
        return Failure{Code::not_captured, nameOf(request) + " belongs into the mesh and is not captured",
                       "delete the pod, so that it starts anew"};
    case Answer::Kind::refused:
        return Failure{Code::try_again,
                       nameOf(request) + " belongs into the mesh, and weft cannot capture it",
                       answer.message};
    case Answer::Kind::away:
        if (membership == Membership::other)
            return std::nullopt;
        return failAway(request, answer, membership);
    }
    return Failure{Code::try_again, "weft-cni came to no decision", ""};
}

} // namespace weft::cni

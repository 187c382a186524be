// SPDX-License-Identifier: Apache-2.0
//
// The plugin's decisions, without effects: whom to ask, and what an answer, or none, means for the sandbox.
#pragma once

#include "cni/read-membership.hpp"
#include "cni/read-request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weft::cni {

// What capture says of a pod.
struct Answer {
    enum class Kind {
        // Its network is captured: nothing leaves it past the mesh.
        held,
        // It need not be.
        outside,
        // It should be captured, and is not (CHECK alone).
        missing,
        // It should be and cannot be; `message` says why.
        refused,
        // Nobody answered; `message` says what was tried.
        away,
    };
    Kind kind = Kind::away;
    std::string message;
};

// Pods outside Kubernetes and of exempt namespaces are none of weft's.
bool isWefts(const Request &request);

// How long to wait for capture: a pod that is surely not in the mesh does not wait at all.
int waitFor(const Request &request, Membership membership);

// What to send to capture.
std::string writeQuestion(const Request &request);

// What capture sent; `away` where it is no answer.
Answer readAnswer(std::string_view packet);

// Nothing: the sandbox may go on. Fails closed: who belongs into the mesh, or may belong, does not start
// without it.
std::optional<Failure> decide(const Request &request, const Answer &answer, Membership membership);

} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
//
// What the container runtime asks of the plugin: CNI's environment variables and the network configuration on
// standard input (CNI specification 1.1.0, section 2), parsed once into a request or a failure.
#pragma once

#include "cni/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weft::cni {

// Codes of the specification, section 5 (Error).
enum class Code : int {
    incompatible_version = 1,
    invalid_environment = 4,
    unreadable = 6,
    invalid_configuration = 7,
    try_again = 11,
    // A pod that is captured no more; 100 and above are a plugin's own.
    not_captured = 100,
};

struct Failure {
    Code code;
    std::string message;
    std::string details;
};

enum class Command { add, check, del, gc, status, version };

// The variables of the specification, section 2; one that is not set is empty.
struct Environment {
    std::string_view command;
    std::string_view container;
    std::string_view netns;
    std::string_view arguments;
};

// What capture wrote into the chain (agent/capture/cni/chain-plugin.ts).
struct Settings {
    // Capture's socket for this plugin.
    std::string socket;
    // The list of enrolled namespaces that capture keeps.
    std::string namespaces_file;
    // Namespaces that are never in the mesh: their pods do not wait for weft.
    std::vector<std::string> exempt;
    // How long a pod that belongs into the mesh waits for capture.
    int wait_ms = 0;
};

// Who the sandbox is for, by CNI_ARGS as Kubernetes' runtimes set them.
struct Pod {
    // Empty: no pod of Kubernetes.
    std::string space;
    std::string name;
    // Empty: the runtime does not tell it.
    std::string uid;
};

struct Request {
    Command command = Command::version;
    // Of the network configuration; the answer has the same.
    std::string version;
    std::string container;
    // The file's name, below the folder that capture knows; empty where the sandbox is gone.
    std::string netns;
    Pod pod;
    // Canonical text; the pod's own, as the plugins before gave them.
    std::vector<std::string> addresses;
    // What the plugins before made; handed on as it came.
    Json result;
    Settings settings;
};

// Also the answer to VERSION.
inline constexpr std::string_view own_version = "1.1.0";
inline constexpr std::string_view supported_versions[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};

// Standard input is at most so long: a thousand times what runtimes send.
inline constexpr size_t max_configuration_bytes = 1024 * 1024;

std::variant<Request, Failure> readRequest(const Environment &environment, std::string_view configuration);

} // namespace weft::cni

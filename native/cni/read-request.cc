// SPDX-License-Identifier: Apache-2.0
#include "cni/read-request.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <utility>

namespace weft::cni {

namespace {

constexpr size_t max_addresses = 16;
constexpr size_t max_exempt = 256;
constexpr size_t max_name = 253;
constexpr int max_wait_ms = 110'000;

constexpr std::pair<std::string_view, Command> commands[] = {
    {"ADD", Command::add}, {"CHECK", Command::check},   {"DEL", Command::del},
    {"GC", Command::gc},   {"STATUS", Command::status}, {"VERSION", Command::version},
};

Failure invalidEnvironment(std::string_view name, std::string_view wanted) {
    return {Code::invalid_environment, std::string(name) + " is missing or wrong",
            "it must be " + std::string(wanted)};
}

Failure invalidConfiguration(std::string_view field, std::string_view wanted) {
    return {Code::invalid_configuration, "the network configuration's " + std::string(field) + " is wrong",
            "it must be " + std::string(wanted)};
}

bool isWord(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '-' || letter == '_';
}

// Names of namespaces, pods, their uids and containers: nothing that could be a path or end a JSON text.
bool isName(std::string_view text) {
    return !text.empty() && text.size() <= max_name && text.front() != '.' && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), isWord);
}

bool isPath(const std::optional<std::string> &text) {
    return text && text->size() > 1 && text->size() < 4096 && text->front() == '/' &&
           text->find('\0') == std::string::npos;
}

std::optional<Failure> readSettings(const Json &configuration, Settings &settings) {
    auto socket = textOf(fieldOf(configuration, "socket"));
    auto file = textOf(fieldOf(configuration, "namespacesFile"));
    const Json &wait = fieldOf(configuration, "waitMs");
    const Json &exempt = fieldOf(configuration, "exemptNamespaces");
    if (!isPath(socket) || socket->size() > 100)
        return invalidConfiguration("socket", "the absolute path of capture's socket for CNI");
    if (!isPath(file))
        return invalidConfiguration("namespacesFile", "the absolute path of capture's list");
    const auto *wait_ms = wait.get_ptr<const Json::number_unsigned_t *>();
    if (wait_ms == nullptr || *wait_ms > static_cast<unsigned>(max_wait_ms))
        return invalidConfiguration("waitMs", "0 to 110000");
    if (!exempt.is_array() || exempt.size() > max_exempt)
        return invalidConfiguration("exemptNamespaces", "a list of at most 256 names");
    for (const Json &one : exempt) {
        auto name = textOf(one);
        if (!name || !isName(*name))
            return invalidConfiguration("exemptNamespaces", "a list of namespaces");
        settings.exempt.push_back(std::move(*name));
    }
    settings.socket = std::move(*socket);
    settings.namespaces_file = std::move(*file);
    settings.wait_ms = static_cast<int>(*wait_ms);
    return std::nullopt;
}

// "KEY=VALUE;KEY=VALUE"; keys that are not asked for are others' (IgnoreUnknown).
std::optional<Failure> readPod(std::string_view arguments, Pod &pod) {
    const std::pair<std::string_view, std::string *> wanted[] = {
        {"K8S_POD_NAMESPACE", &pod.space}, {"K8S_POD_NAME", &pod.name}, {"K8S_POD_UID", &pod.uid}};
    while (!arguments.empty()) {
        const std::string_view pair = arguments.substr(0, arguments.find(';'));
        arguments.remove_prefix(std::min(arguments.size(), pair.size() + 1));
        const size_t equals = pair.find('=');
        for (const auto &[key, value] : wanted) {
            if (equals == std::string_view::npos || pair.substr(0, equals) != key)
                continue;
            const std::string_view text = pair.substr(equals + 1);
            if (!text.empty() && !isName(text))
                return invalidEnvironment("CNI_ARGS",
                                          "K8S_POD_NAMESPACE, K8S_POD_NAME and K8S_POD_UID, as names");
            *value = text;
        }
    }
    return std::nullopt;
}

// "10.1.2.3/24" as "10.1.2.3"; nothing where it is no address.
std::optional<std::string> canonicalAddress(std::string_view text) {
    const std::string bare(text.substr(0, text.find('/')));
    for (const int family : {AF_INET, AF_INET6}) {
        std::array<unsigned char, sizeof(in6_addr)> bytes = {};
        std::array<char, INET6_ADDRSTRLEN> shown = {};
        if (inet_pton(family, bare.c_str(), bytes.data()) == 1 &&
            inet_ntop(family, bytes.data(), shown.data(), shown.size()) != nullptr)
            return std::string(shown.data());
    }
    return std::nullopt;
}

std::optional<Failure> readResult(const Json &configuration, Request &request) {
    const Json &result = fieldOf(configuration, "prevResult");
    if (!result.is_object())
        return invalidConfiguration(
            "prevResult", "the result of the plugins before: weft-cni makes no network, chain it last");
    request.result = result;
    request.result["cniVersion"] = request.version;
    for (const Json &entry : fieldOf(result, "ips")) {
        const auto text = textOf(fieldOf(entry, "address"));
        auto address = text ? canonicalAddress(*text) : std::nullopt;
        if (!address || request.addresses.size() == max_addresses)
            return invalidConfiguration("prevResult.ips",
                                        "at most 16 addresses, each with its prefix's length");
        request.addresses.push_back(std::move(*address));
    }
    return std::nullopt;
}

// ADD and CHECK name a namespace's file; at DEL it may be gone.
std::optional<Failure> readSandbox(const Environment &environment, Request &request) {
    if (!isName(environment.container))
        return invalidEnvironment("CNI_CONTAINERID", "the sandbox's id");
    request.container = environment.container;
    const std::string_view path = environment.netns;
    if (request.command != Command::del) {
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (path.empty() || path.front() != '/' || !isName(name))
            return invalidEnvironment("CNI_NETNS", "the absolute path of a network namespace's file");
        request.netns = name;
    }
    return readPod(environment.arguments, request.pod);
}

} // namespace

std::variant<Request, Failure> readRequest(const Environment &environment, std::string_view text) {
    const auto command = std::find_if(std::begin(commands), std::end(commands),
                                      [&](const auto &known) { return known.first == environment.command; });
    if (command == std::end(commands))
        return invalidEnvironment("CNI_COMMAND", "ADD, CHECK, DEL, GC, STATUS or VERSION");
    if (text.size() > max_configuration_bytes)
        return Failure{Code::unreadable, "the network configuration is longer than 1 MiB", ""};
    const auto configuration = parseJson(text);
    if (!configuration || !configuration->is_object())
        return Failure{Code::unreadable, "standard input is no network configuration",
                       "it must be a JSON object"};
    Request request;
    request.command = command->second;
    const auto version = textOf(fieldOf(*configuration, "cniVersion"));
    // A runtime that only asks for versions may speak any.
    if (request.command == Command::version)
        return request;
    if (!version || std::find(std::begin(supported_versions), std::end(supported_versions), *version) ==
                        std::end(supported_versions))
        return Failure{Code::incompatible_version, "weft-cni does not speak this version of CNI",
                       "cniVersion must be 0.3.1, 0.4.0, 1.0.0 or 1.1.0"};
    request.version = *version;
    if (auto failure = readSettings(*configuration, request.settings))
        return std::move(*failure);
    if (request.command == Command::gc || request.command == Command::status)
        return request;
    if (auto failure = readSandbox(environment, request))
        return std::move(*failure);
    if (request.command == Command::del)
        return request;
    if (auto failure = readResult(*configuration, request))
        return std::move(*failure);
    return request;
}

} // namespace weft::cni

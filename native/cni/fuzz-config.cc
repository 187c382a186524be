// SPDX-License-Identifier: Apache-2.0
// Any configuration, any CNI_ARGS, any answer of capture and any list of namespaces: read strictly or
// refused, and what is handed on is JSON again.
#include "cni/decide.hpp"

#include <cstdlib>
#include <fuzzer/FuzzedDataProvider.h>

namespace {

void require(bool held) {
    if (!held)
        abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    using namespace weft::cni;
    FuzzedDataProvider input(data, size);
    constexpr std::string_view commands[] = {"ADD", "CHECK", "DEL", "GC", "STATUS", "VERSION", "add"};
    const std::string_view command = input.PickValueInArray(commands);
    const std::string arguments = input.ConsumeRandomLengthString(200);
    const std::string answer = input.ConsumeRandomLengthString(200);
    const std::string netns = input.ConsumeRandomLengthString(64);
    const std::string configuration = input.ConsumeRemainingBytesAsString();
    const auto read = readRequest({command, "sandbox", netns, arguments}, configuration);
    const auto *request = std::get_if<Request>(&read);
    if (request == nullptr)
        return 0;
    require(parseJson(writeJson(request->result)).has_value());
    const auto question = parseJson(writeQuestion(*request));
    require(question && question->is_object());
    require(request->netns.find('/') == std::string::npos);
    const Membership membership = findMembership(answer, request->pod.space);
    const auto failure = decide(*request, readAnswer(answer), membership);
    // Without an answer a pod passes only where the list says that it may.
    require(failure || answer.find("held") != std::string::npos ||
            answer.find("outside") != std::string::npos || answer.find('\\') != std::string::npos ||
            membership == Membership::other);
    return 0;
}

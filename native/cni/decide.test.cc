// SPDX-License-Identifier: Apache-2.0
#include "cni/decide.hpp"

#include "engine/test/testing.hpp"

namespace weft::cni {
namespace {

using Kind = Answer::Kind;

Request requestOf(std::string space) {
    Request request;
    request.command = Command::add;
    request.pod = {std::move(space), "cart-1", "u-1"};
    request.settings = {"/run/weft/cni.sock", "/var/lib/weft/list.json", {"kube-system"}, 20'000};
    return request;
}

const Request shop = requestOf("shop");

bool passes(Kind kind, Membership membership) {
    return !decide(shop, {kind, "why"}, membership);
}

CASE("pods of exempt namespaces, and what is no pod, are none of weft's") {
    CHECK(isWefts(shop));
    CHECK(!isWefts(requestOf("kube-system")));
    CHECK(!isWefts(requestOf("")));
}

CASE("what capture answers decides, whatever the list says") {
    for (const auto membership : {Membership::enrolled, Membership::other, Membership::unknown}) {
        CHECK(passes(Kind::held, membership));
        CHECK(passes(Kind::outside, membership));
        CHECK(!passes(Kind::refused, membership));
        CHECK(!passes(Kind::missing, membership));
    }
}

CASE("with capture away only a pod whose namespace is surely not enrolled passes, and it does not wait") {
    CHECK(!passes(Kind::away, Membership::enrolled));
    CHECK(!passes(Kind::away, Membership::unknown));
    CHECK(passes(Kind::away, Membership::other));
    CHECK_EQUAL(waitFor(shop, Membership::other), 0);
    CHECK_EQUAL(waitFor(shop, Membership::enrolled), 20'000);
    CHECK_EQUAL(waitFor(shop, Membership::unknown), 20'000);
}

CASE("a refusal names the pod and why, and tells the runtime to try again") {
    const auto failure = decide(shop, {Kind::refused, "too many pods"}, Membership::enrolled);
    CHECK(failure && failure->code == Code::try_again);
    CHECK(failure && failure->message.find("pod shop/cart-1") == 0);
    CHECK(failure && failure->details == "too many pods");
}

CASE("the list of namespaces is read strictly: anything strange in it, and nobody can know") {
    CHECK(findMembership("[\"shop\",\"till\"]\n", "till") == Membership::enrolled);
    CHECK(findMembership("[\"shop\"]", "sho") == Membership::other);
    CHECK(findMembership("[]", "shop") == Membership::other);
    CHECK(findMembership("", "shop") == Membership::unknown);
    CHECK(findMembership("{\"shop\":true}", "shop") == Membership::unknown);
    CHECK(findMembership("[\"shop\",1]", "shop") == Membership::unknown);
    CHECK(findMembership("[\"shop\"", "shop") == Membership::unknown);
    CHECK(readMembership("/nonexistent/list.json", "shop") == Membership::unknown);
}

CASE("capture's answer is one of four, and anything else is none") {
    CHECK(readAnswer("{\"type\":\"held\"}").kind == Kind::held);
    CHECK(readAnswer("{\"type\":\"outside\"}").kind == Kind::outside);
    CHECK(readAnswer("{\"type\":\"missing\"}").kind == Kind::missing);
    CHECK_EQUAL(readAnswer("{\"type\":\"refused\",\"message\":\"no\"}").message, std::string("no"));
    CHECK(readAnswer("{\"type\":\"hold\"}").kind == Kind::away);
    CHECK(readAnswer("held").kind == Kind::away);
}

} // namespace
} // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: a workload that uses little does not wait for those that keep the worker busy.
#include "engine/test/engine-under-test.hpp"

namespace weft::testing {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";

/// Answers every request by itself, and notes whose they were, decision by decision.
class Answering : public EngineUnderTest {
public:
    Answering() {
        engine->add_workload(2, {});
        on_decide = [this](uint32_t rows) {
            auto &batch = engine->batch();
            decided.emplace_back();
            for (uint32_t row = 0; row < rows; ++row) {
                const bool connection = static_cast<RowKind>(batch.rows.kind[row]) == RowKind::connection;
                if (!connection)
                    decided.back().push_back(batch.rows.workload[row]);
                batch.verdicts.action[row] = static_cast<uint8_t>(connection ? Action::http : Action::reply);
                batch.verdicts.reason[row] = static_cast<uint16_t>(Reason::no_matching_route);
            }
            return true;
        };
    }

    /// Clients of workload 1 that always have a further request ready.
    void flood() {
        std::string many;
        for (int i = 0; i < 2000; ++i)
            many += get;
        for (int i = 0; i < 16; ++i) {
            flooding.push_back(connect());
            flooding.back()->send(many);
        }
        CHECK(until([&] { return requests() > 200; }));
    }
    size_t requests() const {
        size_t sum = 0;
        for (const auto &rows : decided)
            sum += rows.size();
        return sum;
    }

    std::vector<std::vector<uint32_t>> decided;
    std::vector<std::unique_ptr<Peer>> flooding;
};

CASE("beside a flood a modest workload's request is decided first, and by itself") {
    Answering test;
    auto quiet = test.connect_to(test.listen_for(2, Direction::outbound));
    test.settle();
    test.flood();
    test.decided.clear();
    quiet->send(get);
    CHECK(test.until([&] { return quiet->has("\r\n\r\n"); }));
    CHECK(!test.decided.empty());
    CHECK_EQUAL(test.decided.front().size(), size_t{1});
    CHECK_EQUAL(test.decided.front().front(), 2U);
}

CASE("while a modest workload is about, turns are short; without one they are long") {
    Answering test;
    test.flood();
    test.advance(1000);
    test.decided.clear();
    CHECK(test.until([&] { return test.requests() > 100; }));
    const size_t alone = test.decided.back().size();
    auto quiet = test.connect_to(test.listen_for(2, Direction::outbound));
    quiet->send(get);
    CHECK(test.until([&] { return quiet->has("\r\n\r\n"); }));
    test.decided.clear();
    CHECK(test.until([&] { return test.requests() > 100; }));
    CHECK(test.decided.back().size() * 2 < alone);
}

CASE("one that keeps the worker busy is not modest again before it has paused") {
    Workload workload;
    CHECK(workload.is_modest(1'000'000));
    for (int i = 0; i < 100; ++i)
        workload.charge(4096);
    CHECK(!workload.is_modest(1'000'100));
    CHECK(!workload.is_modest(1'001'000));
    CHECK(workload.is_modest(1'010'000));
}

} // namespace
} // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
#include "engine/test/testing.hpp"

int main(int count, char **arguments) {
    return weft::testing::run_cases(count > 1 ? arguments[1] : nullptr);
}

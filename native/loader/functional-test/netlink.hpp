// SPDX-License-Identifier: Apache-2.0
//
// The few rtnetlink(7) requests that a lab of namespaces needs. Throw Failure.
#pragma once

#include <cstdint>
#include <string>

namespace weft::test {

void addBridge(int netns, const std::string &name);
// A veth pair: `name` in `netns`, a port of `bridge`; `peer` in `peer_netns`.
void addVeth(int netns, const std::string &name, const std::string &bridge, int peer_netns,
             const std::string &peer);
void addAddress(int netns, const std::string &interface, const std::string &ip, uint8_t prefix);
// Everything without a longer prefix goes through the gateway.
void addDefaultRoute(int netns, const std::string &gateway);
void raise(int netns, const std::string &interface);

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
#include "loader/functional-test/netlink.hpp"

#include "channel/packet-socket.hpp"
#include "loader/functional-test/check.hpp"
#include "loader/namespace.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

namespace weft::test {

namespace {

// One request with its attributes, built up in place.
class Request {
public:
    Request(uint16_t type, uint16_t flags, const void *body, size_t size) {
        header()->nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(size));
        header()->nlmsg_type = type;
        header()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        memcpy(NLMSG_DATA(header()), body, size);
    }

    void add(uint16_t type, const void *data, size_t size) {
        auto *attribute = reinterpret_cast<rtattr *>(buffer_ + NLMSG_ALIGN(header()->nlmsg_len));
        attribute->rta_type = type;
        attribute->rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
        if (size != 0)
            memcpy(RTA_DATA(attribute), data, size);
        header()->nlmsg_len =
            static_cast<uint32_t>(NLMSG_ALIGN(header()->nlmsg_len) + RTA_ALIGN(attribute->rta_len));
    }
    void addText(uint16_t type, const std::string &text) { add(type, text.c_str(), text.size() + 1); }
    void addNumber(uint16_t type, uint32_t number) { add(type, &number, sizeof number); }

    // Opens an attribute that holds others; close() ends it. `prefix` bytes of header come first in it.
    size_t open(uint16_t type, size_t prefix = 0) {
        const size_t at = NLMSG_ALIGN(header()->nlmsg_len);
        const char zeros[sizeof(ifinfomsg)] = {};
        add(type, zeros, prefix);
        return at;
    }
    void close(size_t at) {
        reinterpret_cast<rtattr *>(buffer_ + at)->rta_len = static_cast<uint16_t>(header()->nlmsg_len - at);
    }

    void send(int netns, const std::string &what) {
        Descriptor netlink;
        runInside(netns,
                  [&] { netlink = Descriptor(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)); });
        alignas(nlmsghdr) char answer[4096];
        if (::send(netlink.get(), buffer_, header()->nlmsg_len, 0) < 0 ||
            recv(netlink.get(), answer, sizeof answer, 0) < 0)
            throw Failure(what + ": " + strerror(errno));
        const auto *got = reinterpret_cast<const nlmsghdr *>(answer);
        const auto *error = reinterpret_cast<const nlmsgerr *>(NLMSG_DATA(got));
        if (got->nlmsg_type == NLMSG_ERROR && error->error != 0)
            throw Failure(what + ": " + strerror(-error->error));
    }

private:
    nlmsghdr *header() { return reinterpret_cast<nlmsghdr *>(buffer_); }
    alignas(nlmsghdr) char buffer_[1024] = {};
};

Request makeLinkRequest() {
    const ifinfomsg info = {};
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
}

int findInterface(int netns, const std::string &name) {
    unsigned index = 0;
    runInside(netns, [&] { index = if_nametoindex(name.c_str()); });
    CHECK(index != 0);
    return static_cast<int>(index);
}

struct Address {
    int family;
    size_t size;
    uint8_t bytes[16];
};

Address parse(const std::string &ip) {
    Address address = {};
    address.family = ip.find(':') == std::string::npos ? AF_INET : AF_INET6;
    address.size = address.family == AF_INET ? 4 : 16;
    CHECK(inet_pton(address.family, ip.c_str(), address.bytes) == 1);
    return address;
}

} // namespace

void addBridge(int netns, const std::string &name) {
    Request request = makeLinkRequest();
    request.addText(IFLA_IFNAME, name);
    const size_t info = request.open(IFLA_LINKINFO);
    request.addText(IFLA_INFO_KIND, "bridge");
    request.close(info);
    request.send(netns, "ip link add " + name + " type bridge");
    raise(netns, name);
}

void addVeth(int netns, const std::string &name, const std::string &bridge, int peer_netns,
             const std::string &peer) {
    Request request = makeLinkRequest();
    request.addText(IFLA_IFNAME, name);
    request.addNumber(IFLA_MASTER, static_cast<uint32_t>(findInterface(netns, bridge)));
    const size_t info = request.open(IFLA_LINKINFO);
    request.addText(IFLA_INFO_KIND, "veth");
    const size_t data = request.open(IFLA_INFO_DATA);
    const size_t other = request.open(VETH_INFO_PEER, sizeof(ifinfomsg));
    request.addText(IFLA_IFNAME, peer);
    request.addNumber(IFLA_NET_NS_FD, static_cast<uint32_t>(peer_netns));
    request.close(other);
    request.close(data);
    request.close(info);
    request.send(netns, "ip link add " + name + " type veth");
    raise(netns, name);
    raise(peer_netns, peer);
}

void addAddress(int netns, const std::string &interface, const std::string &ip, uint8_t prefix) {
    const Address address = parse(ip);
    ifaddrmsg body = {};
    body.ifa_family = static_cast<uint8_t>(address.family);
    body.ifa_prefixlen = prefix;
    body.ifa_index = static_cast<uint32_t>(findInterface(netns, interface));
    // Without duplicate address detection an IPv6 address is usable at once.
    body.ifa_flags = address.family == AF_INET6 ? IFA_F_NODAD : 0;
    Request request(RTM_NEWADDR, NLM_F_CREATE, &body, sizeof body);
    request.add(IFA_LOCAL, address.bytes, address.size);
    request.add(IFA_ADDRESS, address.bytes, address.size);
    request.send(netns, "ip address add " + ip);
}

void addDefaultRoute(int netns, const std::string &gateway) {
    const Address address = parse(gateway);
    rtmsg body = {};
    body.rtm_family = static_cast<uint8_t>(address.family);
    body.rtm_table = RT_TABLE_MAIN;
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_type = RTN_UNICAST;
    Request request(RTM_NEWROUTE, NLM_F_CREATE, &body, sizeof body);
    request.add(RTA_GATEWAY, address.bytes, address.size);
    request.send(netns, "ip route add default via " + gateway);
}

void raise(int netns, const std::string &interface) {
    ifinfomsg info = {};
    info.ifi_index = findInterface(netns, interface);
    info.ifi_flags = info.ifi_change = IFF_UP;
    Request request(RTM_NEWLINK, 0, &info, sizeof info);
    request.send(netns, "ip link set " + interface + " up");
}

} // namespace weft::test

// SPDX-License-Identifier: Apache-2.0
#include "loader/scratch-namespace.hpp"

#include "loader/kernel-error.hpp"
#include "loader/namespace.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weft {

namespace {

constexpr const char *interface_name = "weft0";

Descriptor openOwnNamespace() {
    Descriptor fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd)
        throw KernelError("cannot open the process's own namespace", errno);
    return fd;
}

struct LinkRequest {
    nlmsghdr header = {};
    ifinfomsg info = {};
    char attributes[128] = {};
};

rtattr *addAttribute(LinkRequest &request, uint16_t type, const void *data, size_t size) {
    auto *attribute = reinterpret_cast<rtattr *>(reinterpret_cast<char *>(&request) +
                                                 NLMSG_ALIGN(request.header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    if (size != 0)
        memcpy(RTA_DATA(attribute), data, size);
    request.header.nlmsg_len =
        static_cast<uint32_t>(NLMSG_ALIGN(request.header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
    return attribute;
}

// ip link add weft0 type veth (rtnetlink(7)).
void addInterface() {
    LinkRequest request;
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.info);
    request.header.nlmsg_type = RTM_NEWLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    addAttribute(request, IFLA_IFNAME, interface_name, strlen(interface_name) + 1);
    rtattr *details = addAttribute(request, IFLA_LINKINFO, nullptr, 0);
    addAttribute(request, IFLA_INFO_KIND, "veth", sizeof "veth");
    details->rta_len = static_cast<uint16_t>(reinterpret_cast<char *>(&request) + request.header.nlmsg_len -
                                             reinterpret_cast<char *>(details));
    const Descriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    struct {
        nlmsghdr header;
        nlmsgerr error;
        char rest[512];
    } answer = {};
    if (!netlink || send(netlink.get(), &request, request.header.nlmsg_len, 0) < 0 ||
        recv(netlink.get(), &answer, sizeof answer, 0) < 0)
        throw KernelError("self-test: cannot talk to the kernel about interfaces", errno);
    if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error != 0)
        throw KernelError("self-test: cannot make a veth interface", -answer.error.error,
                          answer.error.error == -EPERM ? "capture lacks CAP_NET_ADMIN" : "modprobe veth");
}

void setAddress(int control, const std::string &name, const std::string &ip) {
    ifreq request = {};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name.c_str());
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
    memcpy(&request.ifr_addr, &address, sizeof address);
    if (ioctl(control, SIOCSIFADDR, &request) != 0)
        throw KernelError("self-test: cannot set the address " + ip, errno);
}

void raise(int control, const char *name) {
    ifreq request = {};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    request.ifr_flags = IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) != 0)
        throw KernelError(std::string("self-test: cannot raise the interface ") + name, errno);
}

void configure(const std::vector<std::string> &addresses) {
    addInterface();
    const Descriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!control)
        throw KernelError("self-test: cannot make a socket", errno);
    raise(control.get(), "lo");
    for (size_t at = 0; at < addresses.size(); ++at) {
        // Further addresses are aliases: weft0:1, weft0:2 (netdevice(7)).
        std::string alias = interface_name;
        if (at != 0)
            alias.append(":").append(std::to_string(at));
        setAddress(control.get(), alias, addresses[at]);
    }
    raise(control.get(), interface_name);
}

} // namespace

Descriptor makeScratchNamespace(const std::vector<std::string> &addresses) {
    const Descriptor home = openOwnNamespace();
    if (unshare(CLONE_NEWNET) != 0)
        throw KernelError("self-test: cannot make a network namespace", errno, "capture lacks CAP_SYS_ADMIN");
    Descriptor made(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (setns(home.get(), CLONE_NEWNET) != 0) {
        perror("weft capture cannot come back from a namespace");
        abort();
    }
    if (!made)
        throw KernelError("self-test: cannot open a network namespace", errno);
    runInside(made.get(), [&addresses] { configure(addresses); });
    return made;
}

} // namespace weft

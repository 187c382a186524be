// SPDX-License-Identifier: Apache-2.0
#include "loader/process.hpp"

#include "loader/kernel-error.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft {

Descriptor openProcess(pid_t pid) {
    const long fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        throw KernelError("cannot watch process " + std::to_string(pid), errno);
    return Descriptor(static_cast<int>(fd));
}

bool hasEnded(int process) {
    pollfd watched = {process, POLLIN, 0};
    return poll(&watched, 1, 0) > 0;
}

} // namespace weft

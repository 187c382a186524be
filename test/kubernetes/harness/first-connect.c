// SPDX-License-Identifier: Apache-2.0
// The most impatient application: its first system call of the network is a connect. Asks ADDRESS PORT for /
// over HTTP/1.1, prints the answer's first line and a refusal's reason, and waits to be ended.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        return 2;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const char request[] = "GET / HTTP/1.1\r\nHost: cart\r\nConnection: close\r\n\r\n";
    char answer[512] = {0};
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        write(fd, request, sizeof request - 1) < 0 || read(fd, answer, sizeof answer - 1) < 0) {
        printf("failed: %s\n", strerror(errno));
    } else {
        const char *reason = strstr(answer, "x-weft-reason:");
        const int length = reason == NULL ? 0 : (int)strcspn(reason, "\r\n");
        printf("answer: %.*s %.*s\n", (int)strcspn(answer, "\r\n"), answer, length,
               reason == NULL ? "" : reason);
    }
    fflush(stdout);
    for (;;)
        pause();
}

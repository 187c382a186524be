// SPDX-License-Identifier: Apache-2.0
// Our sessions over loopback TCP against the openssl program, in both roles.
#include "engine/tls/session-under-test.hpp"
#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

using namespace weft::tls;
using weft::Reason;

namespace {

constexpr int deadline_ms = 10'000;

/// Files that the openssl program reads; gone with the object.
class Files {
public:
    explicit Files(const Mesh &mesh, const Credential &own) {
        std::string name = (std::filesystem::temp_directory_path() / "weft-tls-XXXXXX").string();
        CHECK(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        std::ofstream{path("root.pem")} << mesh.root.certificate_pem();
        std::ofstream{path("own.pem")} << own.certificate_pem() << own.key_pem();
    }
    Files(const Files &) = delete;
    Files &operator=(const Files &) = delete;
    ~Files() { std::filesystem::remove_all(folder_); }
    std::string path(const char *name) const { return folder_ / name; }

private:
    std::filesystem::path folder_;
};

/// The openssl program; its standard input and output are a socket of ours.
class Program {
public:
    explicit Program(std::vector<std::string> words) {
        int ends[2];
        CHECK_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
        std::vector<char *> arguments;
        words.insert(words.begin(), "openssl");
        for (std::string &word : words) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        CHECK_EQUAL(::posix_spawnp(&process_, "openssl", &actions, nullptr, arguments.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        talk_ = ends[0];
    }
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;
    ~Program() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        ::close(talk_);
    }

    void say(std::string_view text) const { CHECK(::write(talk_, text.data(), text.size()) > 0); }
    /// Until `wanted` was said; false after the deadline or the end.
    bool hear(std::string_view wanted) {
        pollfd watched{talk_, POLLIN, 0};
        char part[4096];
        while (said_.find(wanted) == std::string::npos) {
            if (::poll(&watched, 1, deadline_ms) != 1) {
                return false;
            }
            const ssize_t got = ::read(talk_, part, sizeof part);
            if (got <= 0) {
                return false;
            }
            said_.append(part, static_cast<size_t>(got));
        }
        return true;
    }
    const std::string &said() const { return said_; }

private:
    pid_t process_ = -1;
    int talk_ = -1;
    std::string said_;
};

class Socket {
public:
    explicit Socket(int descriptor) : descriptor_{descriptor} { CHECK(descriptor >= 0); }
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    ~Socket() { ::close(descriptor_); }
    int operator*() const { return descriptor_; }

private:
    int descriptor_;
};

struct Listener {
    Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};

    Listener() {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        CHECK_EQUAL(::bind(*socket, reinterpret_cast<sockaddr *>(&address), size), 0);
        CHECK_EQUAL(::listen(*socket, 1), 0);
        ::getsockname(*socket, reinterpret_cast<sockaddr *>(&address), &size);
    }
    std::string name() const { return "127.0.0.1:" + std::to_string(ntohs(address.sin_port)); }
    int accept() const {
        pollfd watched{*socket, POLLIN, 0};
        return ::poll(&watched, 1, deadline_ms) == 1 ? ::accept4(*socket, nullptr, nullptr, SOCK_CLOEXEC)
                                                     : -1;
    }
};

/// Runs `session` over `socket` until `done` or the peer's end or the deadline; the plaintext that came.
template <typename Done> std::string run(Session &session, const Socket &socket, Done done) {
    std::string plain;
    char part[4096];
    pollfd watched{*socket, POLLIN, 0};
    for (;;) {
        const std::string out = take(session);
        if (!out.empty() && ::send(*socket, out.data(), out.size(), MSG_NOSIGNAL) < 0) {
            return plain;
        }
        if (done(plain) || session.state() == SessionState::failed || ::poll(&watched, 1, deadline_ms) != 1) {
            return plain;
        }
        const ssize_t got = ::recv(*socket, part, sizeof part, 0);
        if (got <= 0) {
            session.wire_ended();
            return plain;
        }
        plain += give(session, {part, static_cast<size_t>(got)});
    }
}

std::vector<std::string> client_words(const Files &files, const Listener &listener) {
    return {"s_client",
            "-connect",
            listener.name(),
            "-CAfile",
            files.path("root.pem"),
            "-attime",
            std::to_string(test_now),
            "-alpn",
            "weft/tcp",
            "-nocommands",
            "-servername",
            "lies.example"};
}

/// What our server says of `openssl s_client` with further `words`.
Reason serve(const Mesh &mesh, const Credential &own, std::vector<std::string> words, bool with_certificate) {
    const Files files{mesh, own};
    const Listener listener;
    std::vector<std::string> all = client_words(files, listener);
    if (with_certificate) {
        all.insert(all.end(), {"-cert", files.path("own.pem"), "-key", files.path("own.pem")});
    }
    all.insert(all.end(), words.begin(), words.end());
    const Program program{all};
    const Socket socket{listener.accept()};
    const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
    run(*server, socket, [&server](const std::string &) { return !server->handshaking(); });
    return server->why();
}

} // namespace

CASE("openssl s_client talks to our server, and ends in good order") {
    const Mesh mesh;
    const Files files{mesh, mesh.shop};
    const Listener listener;
    std::vector<std::string> words = client_words(files, listener);
    words.insert(words.end(), {"-cert", files.path("own.pem"), "-key", files.path("own.pem"),
                               "-verify_return_error", "-ign_eof"});
    Program program{words};
    const Socket socket{listener.accept()};
    const auto server = Session::accept(mesh.cart_identity(), {Alpn::tcp}, test_now);
    run(*server, socket, [&server](const std::string &) { return !server->handshaking(); });
    CHECK_EQUAL(server->state(), SessionState::open);
    CHECK_EQUAL(server->peer(), shop_id);
    program.say("hello from openssl\n");
    CHECK_EQUAL(run(*server, socket, [](const std::string &plain) { return plain.ends_with('\n'); }),
                "hello from openssl\n");
    const std::string answer = take(*server, "hello from weft\n");
    CHECK(::send(*socket, answer.data(), answer.size(), MSG_NOSIGNAL) > 0);
    CHECK(program.hear("hello from weft\n"));
    CHECK(program.said().find("ALPN protocol: weft/tcp") != std::string::npos);
    CHECK(program.said().find("Verify return code: 0 (ok)") != std::string::npos);
    CHECK(program.said().find("TLSv1.3") != std::string::npos);
    server->close();
    run(*server, socket, [&server](const std::string &) { return server->state() == SessionState::closed; });
    CHECK_EQUAL(server->state(), SessionState::closed);
}

CASE("our client talks to openssl s_server") {
    const Mesh mesh;
    const Files files{mesh, mesh.cart};
    Program program{{"s_server", "-accept", "127.0.0.1:0", "-cert", files.path("own.pem"), "-key",
                     files.path("own.pem"), "-CAfile", files.path("root.pem"), "-Verify", "2",
                     "-verify_return_error", "-attime", std::to_string(test_now), "-alpn", "weft/tcp",
                     "-naccept", "1"}};
    CHECK(program.hear("ACCEPT 127.0.0.1:"));
    CHECK(program.hear("\n"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const size_t colon = program.said().find("ACCEPT 127.0.0.1:") + 17;
    address.sin_port = htons(static_cast<uint16_t>(std::atoi(program.said().c_str() + colon)));
    const Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    CHECK_EQUAL(::connect(*socket, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
    const auto client = Session::connect(mesh.shop_identity(), {Alpn::tcp}, cart_id, test_now);
    run(*client, socket, [&client](const std::string &) { return !client->handshaking(); });
    CHECK_EQUAL(client->state(), SessionState::open);
    CHECK_EQUAL(client->peer(), cart_id);
    const std::string out = take(*client, "hello from weft\n");
    CHECK(::send(*socket, out.data(), out.size(), MSG_NOSIGNAL) > 0);
    CHECK(program.hear("hello from weft\n"));
    program.say("hello from openssl\n");
    CHECK_EQUAL(run(*client, socket, [](const std::string &plain) { return plain.ends_with('\n'); }),
                "hello from openssl\n");
}

CASE("openssl s_client is refused for what is wrong with it") {
    const Mesh mesh;
    const Mesh other;
    const Credential expired = make_certificate(&mesh.root, {.not_after = test_now - 1});
    CHECK_EQUAL(serve(mesh, mesh.shop, {}, true), Reason::none);
    // Its first key share is of a group that we do not take: a HelloRetryRequest.
    CHECK_EQUAL(serve(mesh, mesh.shop, {"-groups", "P-384:X25519"}, true), Reason::none);
    CHECK_EQUAL(serve(mesh, mesh.shop, {}, false), Reason::tls_no_client_certificate);
    CHECK_EQUAL(serve(mesh, other.shop, {}, true), Reason::tls_untrusted_certificate);
    CHECK_EQUAL(serve(mesh, expired, {}, true), Reason::tls_expired_certificate);
    CHECK_EQUAL(serve(mesh, mesh.shop, {"-tls1_2"}, true), Reason::tls_version_refused);
    CHECK_EQUAL(serve(mesh, mesh.shop, {"-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"}, true),
                Reason::tls_version_refused);
    CHECK_EQUAL(serve(mesh, mesh.shop, {"-alpn", "h2"}, true), Reason::tls_alpn_refused);
    CHECK_EQUAL(serve(mesh, mesh.shop, {"-groups", "P-384"}, true), Reason::tls_handshake_failed);
}

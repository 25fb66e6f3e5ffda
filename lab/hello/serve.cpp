// A static HTTP server: one thread, one epoll, one answer. It ends at once on SIGTERM, as many real
// servers do: what a rollout loses then is the cluster's fault, not the server's patience.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lab/hello/hello.h"

namespace hello {
namespace {

constexpr std::size_t request_bytes_max = 16 * 1024;
constexpr std::size_t connections_max = 10'000;

struct Connection {
  std::string input;
  std::string peer;  // "10.88.1.7"
};

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

// The pod's name is its hostname; the node's comes by the downward API, when the manifest asks.
std::string greeting() {
  utsname names{};
  ::uname(&names);
  std::string text = "hello from " + environment("POD_NAME", names.nodename);
  const std::string node = environment("NODE_NAME", "");
  if (!node.empty()) text += " on " + node;
  return text + ", version " + environment("HELLO_VERSION", "unknown");
}

std::string answer_to(const std::string& who, const Connection& connection, bool keep_alive) {
  const std::string body = who + " (you are " + connection.peer + ")\n";
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
         std::to_string(body.size()) + (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" +
         body;
}

// HTTP/1.1 keeps alive unless told otherwise; 1.0 (busybox wget, ab) closes unless told otherwise.
bool wants_keep_alive(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  std::string lower(head);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("\r\nconnection: close") != std::string::npos) return false;
  return line.ends_with("HTTP/1.1") ||
         lower.find("\r\nconnection: keep-alive") != std::string::npos;
}

class Server {
 public:
  explicit Server(int listener) : listener_(listener), who_(greeting()) {}

  int run() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
    for (;;) {
      epoll_event events[64];
      const int count = ::epoll_wait(epoll_, events, 64, -1);
      if (count < 0 && errno != EINTR) return 1;
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_) {
          accept_all();
        } else if (!serve_one(events[i].data.fd)) {
          connections_.erase(events[i].data.fd);
          ::close(events[i].data.fd);
        }
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    int fd;
    while ((fd = ::accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      size = sizeof peer;
      if (connections_.size() >= connections_max) {
        ::close(fd);
        continue;
      }
      char text[INET_ADDRSTRLEN] = "";
      ::inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
      connections_[fd] = Connection{.input = {}, .peer = text};
      watch(fd);
    }
  }

  // False: done with this connection.
  bool serve_one(int fd) {
    Connection& connection = connections_[fd];
    char buffer[4096];
    ssize_t got;
    while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
      connection.input.append(buffer, static_cast<std::size_t>(got));
      if (connection.input.size() > request_bytes_max) return false;
    }
    const bool open = got < 0 && (errno == EAGAIN || errno == EINTR);
    std::size_t end;
    while ((end = connection.input.find("\r\n\r\n")) != std::string::npos) {
      const bool keep_alive = wants_keep_alive(std::string_view(connection.input).substr(0, end));
      const std::string answer = answer_to(who_, connection, keep_alive);
      connection.input.erase(0, end + 4);
      // An answer is smaller than any socket buffer: a short write means the peer is gone.
      if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(answer.size())) {
        return false;
      }
      if (!keep_alive) return false;
    }
    return open;
  }

  int listener_;
  int epoll_ = -1;
  std::string who_;
  std::unordered_map<int, Connection> connections_;
};

void end_now(int) {
  ::_exit(0);
}

}  // namespace

int serve(std::uint16_t port) {
  // As pid 1 the default action of SIGTERM does not apply: the kernel ignores it unless handled.
  std::signal(SIGTERM, end_now);
  std::signal(SIGINT, end_now);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr = {.s_addr = htonl(INADDR_ANY)},
                            .sin_zero = {}};
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::fprintf(stderr, "hello: listen on port %u: %s\n", port, std::strerror(errno));
    return 1;
  }
  std::printf("hello: listening on port %u\n", port);
  std::fflush(stdout);
  return Server(listener).run();
}

}  // namespace hello

// Address text to sockets and back.
#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace keelson {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr int listen_backlog = 4096;   // the kernel cuts it to net.core.somaxconn
constexpr int first_inherited_fd = 3;  // SD_LISTEN_FDS_START
constexpr int inherited_fds_max = 64;  // more is nobody's socket activation

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  template <typename T>
  T& as() {
    length = sizeof(T);
    return reinterpret_cast<T&>(storage);
  }
};

Result<SocketAddress> unix_address(std::string_view path) {
  SocketAddress address;
  auto& un = address.as<sockaddr_un>();
  if (path.empty() || path.size() >= sizeof(un.sun_path)) {
    return fail(Reason::Invalid, "socket path {:?}: must have 1 to {} bytes", path,
                sizeof(un.sun_path) - 1);
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  return address;
}

Result<SocketAddress> parse_address(std::string_view text) {
  if (text.starts_with(unix_prefix)) return unix_address(text.substr(unix_prefix.size()));
  auto parts = parse_host_port(text);
  if (!parts) return std::unexpected(parts.error());
  SocketAddress address;
  auto& v4 = address.as<sockaddr_in>();
  if (inet_pton(AF_INET, parts->host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(parts->port);
    return address;
  }
  auto& v6 = address.as<sockaddr_in6>();
  if (inet_pton(AF_INET6, parts->host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(parts->port);
    return address;
  }
  return fail(Reason::Invalid, "address {:?}: want a numeric address and a port, as 127.0.0.1:6443",
              text);
}

Result<Fd> open_socket(const SocketAddress& address) {
  const int family = address.get()->sa_family;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, "open a socket");
  return fd;
}

std::string address_text(const SocketAddress& address) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
    return fmt::format("{}:{}", host, ntohs(v4.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
    return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
  }
  if (address.storage.ss_family == AF_UNIX) {
    const auto& un = reinterpret_cast<const sockaddr_un&>(address.storage);
    return std::string(unix_prefix) + un.sun_path;
  }
  return {};
}

std::string address_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (ask(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) return {};
  return address_text(address);
}

int number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  int number = -1;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  std::string_view host = text.substr(0, std::min(colon, text.size()));
  const std::string_view digits =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  HostPort parsed;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.port);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      host.empty() || (!bracketed && host.contains(':'))) {
    return fail(Reason::Invalid, "address {:?}: want host:port, as 127.0.0.1:6443 or [::1]:6443",
                text);
  }
  parsed.host = bracketed ? host.substr(1, host.size() - 2) : host;
  return parsed;
}

Result<Fd> listen_on(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return address.error().during("listen");
  auto fd = open_socket(*address);
  if (!fd) return fd.error().during("listen on {}", text);
  const int on = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd->get(), address->get(), address->length) != 0 ||
      ::listen(fd->get(), listen_backlog) != 0) {
    return fail_errno(errno, "listen on {}", text);
  }
  return fd;
}

Result<Fd> start_connect(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return address.error().during("connect");
  auto fd = open_socket(*address);
  if (!fd) return fd.error().during("connect to {}", text);
  if (::connect(fd->get(), address->get(), address->length) != 0 && errno != EINPROGRESS) {
    return fail_errno(errno, "connect to {}", text);
  }
  return fd;
}

std::string local_address(int fd) {
  return address_of(fd, ::getsockname);
}

std::string peer_address(int fd) {
  return address_of(fd, ::getpeername);
}

std::vector<Fd> take_inherited_listeners() {
  const bool ours = number_in_environment("LISTEN_PID") == ::getpid();
  const int count = std::min(number_in_environment("LISTEN_FDS"), inherited_fds_max);
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  std::vector<Fd> listeners;
  for (int fd = first_inherited_fd; ours && fd < first_inherited_fd + count; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    listeners.emplace_back(fd);
  }
  return listeners;
}

}  // namespace keelson

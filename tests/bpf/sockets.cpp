// Clients and servers for tests of the kernel programs.
#include "tests/bpf/sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/fd.h"

namespace keelson::proxy {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address address_of(const Target& target) {
  Address address;
  const auto port_be = htons(static_cast<std::uint16_t>(target.port));
  if (target.address.contains(':')) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port_be;
    ::inet_pton(AF_INET6, target.address.c_str(), &v6->sin6_addr);
    address.length = sizeof(*v6);
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = port_be;
    ::inet_pton(AF_INET, target.address.c_str(), &v4->sin_addr);
    address.length = sizeof(*v4);
  }
  return address;
}

std::string text_of(const Address& address, bool with_port) {
  char text[INET6_ADDRSTRLEN] = "?";
  std::uint16_t port_be = 0;
  if (address.storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    port_be = v6.sin6_port;
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    port_be = v4.sin_port;
  }
  return with_port ? fmt::format("{}:{}", text, ntohs(port_be)) : text;
}

std::string error_name() {
  switch (errno) {
    case ECONNREFUSED:
      return "refused";
    case EPERM:
      return "not permitted";
    case EADDRINUSE:
      return "in use";
    case EAGAIN:
    case ETIMEDOUT:
      return "timeout";
    default:
      return std::strerror(errno);
  }
}

Fd open_socket(Transport transport, const Target& target, int timeout_ms = 2'000) {
  const int family = target.address.contains(':') ? AF_INET6 : AF_INET;
  const int type = transport == Transport::Tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd socket(::socket(family, type | SOCK_CLOEXEC, 0));
  const timeval timeout{.tv_sec = timeout_ms / 1'000, .tv_usec = timeout_ms % 1'000 * 1'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  return socket;
}

Fd listen_at(Transport transport, int port) {
  Fd socket = open_socket(transport, {.address = "0.0.0.0", .port = port});
  Address address = address_of({.address = "0.0.0.0", .port = port});
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), address.generic(), address.length) != 0) return Fd();
  if (transport == Transport::Tcp && ::listen(socket.get(), 1'024) != 0) return Fd();
  return socket;
}

char pattern_at(std::size_t i) {
  return static_cast<char>(i * 31 + i / 251);
}

void pour_into(int connection) {
  std::string bytes(pour_bytes, 0);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern_at(i);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t length = ::write(connection, bytes.data() + done, bytes.size() - done);
    if (length <= 0) return;
    done += static_cast<std::size_t>(length);
  }
}

void answer_connection(int listener, const std::string& name) {
  Address client;
  const Fd connection(::accept(listener, client.generic(), &client.length));
  char question = 0;
  if (::read(connection.get(), &question, 1) != 1) return;
  if (question == 'P') return pour_into(connection.get());
  const std::string answer = name + " saw " + text_of(client, false);
  (void)!::write(connection.get(), answer.data(), answer.size());
}

void answer_datagram(int socket, const std::string& name) {
  Address client;
  char question = 0;
  if (::recvfrom(socket, &question, 1, 0, client.generic(), &client.length) < 0) return;
  const std::string answer = name + " saw " + text_of(client, false);
  (void)!::sendto(socket, answer.data(), answer.size(), 0, client.generic(), client.length);
}

std::string read_answer(int socket) {
  std::string answer;
  char buffer[256];
  const ssize_t length = ::read(socket, buffer, sizeof(buffer));
  if (length < 0) return error_name();
  return {buffer, static_cast<std::size_t>(length)};
}

struct Datagram {
  std::string text, source;
  bool is_error = false;
};

Datagram exchange_datagrams(const Fd& socket, const Target& target,
                            const std::vector<std::uint8_t>& question) {
  Address address = address_of(target);
  if (::sendto(socket.get(), question.data(), question.size(), 0, address.generic(),
               address.length) < 0)
    return {.text = error_name(), .source = {}, .is_error = true};
  char buffer[2'048];
  Address from;
  const ssize_t length =
      ::recvfrom(socket.get(), buffer, sizeof(buffer), 0, from.generic(), &from.length);
  if (length < 0) return {.text = error_name(), .source = {}, .is_error = true};
  return {.text = {buffer, static_cast<std::size_t>(length)}, .source = text_of(from, true)};
}

Datagram exchange_datagrams(const Target& target, const std::vector<std::uint8_t>& question) {
  return exchange_datagrams(open_socket(Transport::Udp, target), target, question);
}

}  // namespace

std::function<void(const std::function<void()>&)> answering(const std::string& name, int port) {
  return [name, port](const std::function<void()>& ready) {
    const Fd tcp = listen_at(Transport::Tcp, port);
    const Fd udp = listen_at(Transport::Udp, port);
    if (!tcp || !udp) return;
    ready();
    for (;;) {
      pollfd waits[2] = {{.fd = tcp.get(), .events = POLLIN, .revents = 0},
                         {.fd = udp.get(), .events = POLLIN, .revents = 0}};
      if (::poll(waits, 2, -1) < 0) return;
      if (waits[0].revents) answer_connection(tcp.get(), name);
      if (waits[1].revents) answer_datagram(udp.get(), name);
    }
  };
}

std::string ask(Transport transport, const Target& target, int timeout_ms) {
  const Fd socket = open_socket(transport, target, timeout_ms);
  Address address = address_of(target);
  if (::connect(socket.get(), address.generic(), address.length) != 0) return error_name();
  if (::write(socket.get(), "?", 1) != 1) return error_name();
  return read_answer(socket.get());
}

std::string ask_unconnected(const Target& target) {
  const Datagram answer = exchange_datagrams(target, {'?'});
  return answer.is_error ? answer.text : answer.text + " from " + answer.source;
}

std::vector<std::string> ask_by_sockets(const Target& target, std::size_t sockets,
                                        const std::function<bool()>& goes_on) {
  std::vector<Fd> opened;
  std::vector<std::set<std::string>> names(sockets);
  for (std::size_t i = 0; i < sockets; ++i) opened.push_back(open_socket(Transport::Udp, target));
  const auto round = [&] {
    for (std::size_t i = 0; i < sockets; ++i) {
      const std::string answer = exchange_datagrams(opened[i], target, {'?'}).text;
      names[i].insert(answer.substr(0, answer.find(" saw")));
    }
  };
  do round();
  while (goes_on());
  round();
  std::vector<std::string> joined;
  for (const auto& each : names) joined.push_back(fmt::format("{}", fmt::join(each, ",")));
  return joined;
}

std::string exchange(const Target& target, const std::vector<std::uint8_t>& question) {
  return exchange_datagrams(target, question).text;
}

std::string source_of_answer(const Target& target, const std::vector<std::uint8_t>& question) {
  return exchange_datagrams(target, question).source;
}

std::string peer_after_connect(Transport transport, const Target& target) {
  const Fd socket = open_socket(transport, target);
  Address address = address_of(target);
  if (::connect(socket.get(), address.generic(), address.length) != 0) return error_name();
  Address peer;
  if (::getpeername(socket.get(), peer.generic(), &peer.length) != 0) return error_name();
  return text_of(peer, true);
}

std::string pour(const Target& target) {
  const Fd socket = open_socket(Transport::Tcp, target);
  Address address = address_of(target);
  if (::connect(socket.get(), address.generic(), address.length) != 0) return error_name();
  if (::write(socket.get(), "P", 1) != 1) return error_name();
  std::size_t seen = 0;
  for (char buffer[65'536];;) {
    const ssize_t length = ::read(socket.get(), buffer, sizeof(buffer));
    if (length < 0) return error_name();
    if (length == 0) return seen == pour_bytes ? "whole" : fmt::format("{} bytes", seen);
    for (ssize_t i = 0; i < length; ++i, ++seen)
      if (buffer[i] != pattern_at(seen)) return fmt::format("wrong at byte {}", seen);
  }
}

std::string path_mtu(const Target& target, std::size_t size) {
  const Fd socket = open_socket(Transport::Udp, target);
  Address address = address_of(target);
  const int never_fragment = IP_PMTUDISC_DO;
  ::setsockopt(socket.get(), IPPROTO_IP, IP_MTU_DISCOVER, &never_fragment, sizeof(never_fragment));
  if (::connect(socket.get(), address.generic(), address.length) != 0) return error_name();
  const std::string datagram(size, 'x');
  if (::write(socket.get(), datagram.data(), datagram.size()) < 0) return error_name();
  read_answer(socket.get());  // EMSGSIZE, as soon as the error has come back
  int mtu = 0;
  socklen_t length = sizeof(mtu);
  ::getsockopt(socket.get(), IPPROTO_IP, IP_MTU, &mtu, &length);
  return std::to_string(mtu);
}

std::string bind_to(Transport transport, const Target& target) {
  const Fd socket = open_socket(transport, target);
  Address address = address_of(target);
  return ::bind(socket.get(), address.generic(), address.length) == 0 ? "bound" : error_name();
}

std::string who_answers(Transport transport, const Target& target, int times) {
  std::set<std::string> names;
  for (int i = 0; i < times; ++i) {
    const std::string answer = ask(transport, target);
    names.insert(answer.substr(0, answer.find(" saw")));
  }
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

std::array<std::uint8_t, 6> mac_of(const char* interface) {
  ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::array<std::uint8_t, 6> mac{};
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0)
    std::memcpy(mac.data(), request.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

}  // namespace keelson::proxy

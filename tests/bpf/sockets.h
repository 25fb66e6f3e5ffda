// Small clients and servers over plain sockets. They run in processes of their own, so they answer
// in words: what came back, or the error's name.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace keelson::proxy {

struct Target {
  std::string address;  // "10.96.0.10", "::ffff:10.96.0.10"
  int port = 0;
};

enum class Transport { Tcp, Udp };

constexpr std::size_t pour_bytes = 4 * 1024 * 1024;

// Answers each datagram and each TCP connection at this port with "NAME saw ADDRESS"; a connection
// that asks with 'P' gets pour_bytes of a pattern instead.
std::function<void(const std::function<void()>&)> answering(const std::string& name, int port);

// "NAME saw ADDRESS", or "refused", "not permitted", "timeout", …
std::string ask(Transport transport, const Target& target, int timeout_ms = 2'000);
// An unconnected datagram: "NAME saw ADDRESS from ADDRESS:PORT", the latter as recvfrom() tells.
std::string ask_unconnected(const Target& target);
// Bytes sent by an unconnected UDP socket: what came back, and from where recvfrom() says it came.
std::string exchange(const Target& target, const std::vector<std::uint8_t>& question);
std::string source_of_answer(const Target& target, const std::vector<std::uint8_t>& question);
// Many datagrams from each of some unconnected sockets while goes_on() says so, and at least two:
// who answered each socket, "pod1" or "pod1,pod2".
std::vector<std::string> ask_by_sockets(const Target& target, std::size_t sockets,
                                        const std::function<bool()>& goes_on);
// "ADDRESS:PORT" as getpeername() tells after connect(), or the error.
std::string peer_after_connect(Transport transport, const Target& target);
// "whole" if a server poured all its bytes and they are the right ones.
std::string pour(const Target& target);
// Sends datagrams of this size that must not be fragmented until the path's MTU is known; returns
// it.
std::string path_mtu(const Target& target, std::size_t size);
// "bound" or the error of bind().
std::string bind_to(Transport transport, const Target& target);
// The names of who answered n times in a row, each once, sorted: "a b c".
std::string who_answers(Transport transport, const Target& target, int times);

std::array<std::uint8_t, 6> mac_of(const char* interface);

}  // namespace keelson::proxy

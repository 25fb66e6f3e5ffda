// Ethernet frames for BPF_PROG_TEST_RUN: made from a few words, and described in a few words with
// their checksums verified.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keelson::proxy {

using Bytes = std::vector<std::uint8_t>;

struct FlowPacket {
  std::string source, destination;  // "10.89.0.200:1000"
  bool udp = false;
  std::string flags = "S";       // TCP: of S, A, F, R
  std::size_t option_bytes = 0;  // of the IPv4 header, a multiple of 4
  bool no_checksum = false;      // UDP without one
  bool fragment = false;         // the first of several
};

Bytes frame(const FlowPacket& packet);
// An ICMP error of this type from one address to another, quoting a packet's first 8 bytes of
// transport.
struct IcmpError {
  std::string source, destination;  // without ports
  int type = 3;
  FlowPacket quoted;
};
Bytes frame(const IcmpError& error);
Bytes arp_frame();

// "10.89.0.200:1000 > 10.88.1.2:8080 tcp S", "icmp 3 A > B quoting C > D udp"; " BAD CHECKSUM" at
// the end if one is. TCP and UDP without options only show what changes: addresses, ports, flags.
std::string describe(const Bytes& frame);

}  // namespace keelson::proxy

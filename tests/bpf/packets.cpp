// Frames in and out of words.
#include "tests/bpf/packets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include <cstring>

#include "proxy/ipv4.h"

namespace keelson::proxy {
namespace {

constexpr std::size_t payload_bytes = 12;
constexpr std::size_t quoted_transport_bytes = 8;

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint16_t get16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t address_of(const std::string& end) {
  return *parse_ipv4(end.substr(0, end.find(':')));
}

std::uint16_t port_of(const std::string& end) {
  return static_cast<std::uint16_t>(std::stoi(end.substr(end.find(':') + 1)));
}

std::uint32_t sum(const Bytes& bytes, std::size_t from, std::size_t to) {
  std::uint32_t total = 0;
  for (std::size_t at = from; at + 1 < to; at += 2) total += get16(bytes, at);
  if ((to - from) % 2 == 1) total += static_cast<std::uint32_t>(bytes[to - 1]) << 8;
  return total;
}

std::uint16_t fold(std::uint32_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(~total);
}

Bytes ipv4(std::uint32_t source_be, std::uint32_t destination_be, std::uint8_t protocol,
           std::size_t option_bytes, const Bytes& payload) {
  Bytes packet(20 + option_bytes);
  packet[0] = static_cast<std::uint8_t>(0x40 | packet.size() / 4);
  put16(packet, 2, static_cast<std::uint16_t>(packet.size() + payload.size()));
  packet[8] = 64;
  packet[9] = protocol;
  std::memcpy(&packet[12], &source_be, 4);
  std::memcpy(&packet[16], &destination_be, 4);
  for (std::size_t i = 0; i < option_bytes; ++i) packet[20 + i] = 1;  // no operation
  put16(packet, 10, fold(sum(packet, 0, packet.size())));
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

std::uint16_t transport_sum(const Bytes& packet, std::size_t network) {
  const std::size_t transport = network + static_cast<std::size_t>(packet[network] & 15) * 4;
  return fold(sum(packet, network + 12, network + 20) + packet[network + 9] +
              static_cast<std::uint32_t>(packet.size() - transport) +
              sum(packet, transport, packet.size()));
}

Bytes flow_packet(const FlowPacket& words) {
  Bytes transport(words.udp ? 8 : 20);
  transport.insert(transport.end(), payload_bytes, 0x5a);
  put16(transport, 0, port_of(words.source));
  put16(transport, 2, port_of(words.destination));
  if (words.udp) {
    put16(transport, 4, static_cast<std::uint16_t>(transport.size()));
  } else {
    transport[12] = 0x50;
    for (const char flag : words.flags)
      transport[13] |= static_cast<std::uint8_t>(flag == 'F'   ? 1
                                                 : flag == 'S' ? 2
                                                 : flag == 'R' ? 4
                                                               : 16);
  }
  Bytes packet = ipv4(address_of(words.source), address_of(words.destination),
                      words.udp ? IPPROTO_UDP : IPPROTO_TCP, words.option_bytes, transport);
  if (!words.no_checksum)
    put16(packet, 20 + words.option_bytes + (words.udp ? 6 : 16), transport_sum(packet, 0));
  if (words.fragment) {
    packet[6] |= 0x20;
    put16(packet, 10, 0);
    put16(packet, 10, fold(sum(packet, 0, 20 + words.option_bytes)));
  }
  return packet;
}

Bytes ethernet(const Bytes& packet, std::uint16_t type = ETH_P_IP) {
  Bytes frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0};
  put16(frame, 12, type);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

std::string end_text(const Bytes& frame, std::size_t address_at, std::size_t port_at) {
  std::uint32_t address_be = 0;
  std::memcpy(&address_be, &frame[address_at], 4);
  return port_at == 0 ? ipv4_text(address_be)
                      : fmt::format("{}:{}", ipv4_text(address_be), get16(frame, port_at));
}

std::string flow_text(const Bytes& frame, std::size_t network, bool whole) {
  const std::size_t transport = network + static_cast<std::size_t>(frame[network] & 15) * 4;
  const bool udp = frame[network + 9] == IPPROTO_UDP;
  std::string text = fmt::format("{} > {} {}", end_text(frame, network + 12, transport),
                                 end_text(frame, network + 16, transport + 2), udp ? "udp" : "tcp");
  if (whole && !udp) {
    text += ' ';
    const char* names = "FSRPA";
    for (int bit = 0; bit < 5; ++bit)
      if (frame[transport + 13] >> bit & 1) text += names[bit];
  }
  if (fold(sum(frame, network, transport)) != 0) text += " BAD CHECKSUM";
  const bool unsummed = udp && get16(frame, transport + 6) == 0;
  if (whole && !unsummed && transport_sum(frame, network) != 0) text += " BAD CHECKSUM";
  return text;
}

}  // namespace

Bytes frame(const FlowPacket& packet) {
  return ethernet(flow_packet(packet));
}

Bytes frame(const IcmpError& error) {
  Bytes quoted = flow_packet(error.quoted);
  quoted.resize(20 + error.quoted.option_bytes + quoted_transport_bytes);
  Bytes icmp = {static_cast<std::uint8_t>(error.type), 4, 0, 0, 0, 0, 5, 20};
  icmp.insert(icmp.end(), quoted.begin(), quoted.end());
  put16(icmp, 2, fold(sum(icmp, 0, icmp.size())));
  return ethernet(
      ipv4(*parse_ipv4(error.source), *parse_ipv4(error.destination), IPPROTO_ICMP, 0, icmp));
}

Bytes arp_frame() {
  return ethernet(Bytes(28), ETH_P_ARP);
}

std::string describe(const Bytes& frame) {
  constexpr std::size_t network = ETH_HLEN;
  if (get16(frame, 12) != ETH_P_IP || frame.size() < network + 20) return "other";
  const std::uint8_t protocol = frame[network + 9];
  if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) return flow_text(frame, network, true);
  if (protocol != IPPROTO_ICMP) return "other";
  const std::size_t icmp = network + 20;
  std::string text =
      fmt::format("icmp {} {} > {} quoting {}", frame[icmp], end_text(frame, network + 12, 0),
                  end_text(frame, network + 16, 0), flow_text(frame, icmp + 8, false));
  if (fold(sum(frame, network, icmp)) != 0 || fold(sum(frame, icmp, frame.size())) != 0)
    text += " BAD CHECKSUM";
  return text;
}

}  // namespace keelson::proxy

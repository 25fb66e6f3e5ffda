// DNS messages on the wire: queries in, answers out. ldns reads and writes them; what it is given
// from strangers is checked before, so that no message costs more than its size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/dns_names.h"

struct ldns_struct_pkt;

namespace keelson::proxy {

using DnsBytes = std::vector<std::uint8_t>;
using DnsWire = std::span<const std::uint8_t>;

// A query is a question and little more; longer ones are not answered.
inline constexpr std::size_t dns_query_bytes_max = 1'232;
// What fits into one packet on every network (DNS flag day 2020), and without EDNS.
inline constexpr std::size_t dns_udp_bytes_max = 1'232;
inline constexpr std::size_t dns_udp_bytes_plain = 512;
inline constexpr std::size_t dns_tcp_bytes_max = 65'535;

class DnsQuery {
 public:
  // nullopt: no query, or none that can be answered; it is dropped without a word.
  static std::optional<DnsQuery> parse(DnsWire wire);
  DnsQuery(DnsQuery&&) noexcept;
  DnsQuery& operator=(DnsQuery&&) noexcept;
  ~DnsQuery();

  // Not NoError: it can only be answered with this code.
  DnsCode code() const { return code_; }
  const DnsQuestion& question() const { return question_; }
  std::size_t udp_bytes_max() const;  // what its sender takes in one datagram

  // Not more than size bytes: records are left out then, and the answer says it is truncated.
  DnsBytes encode(const DnsAnswer& answer, const DnsZone& zone, std::size_t size) const;
  DnsBytes encode_failure(DnsCode code) const;
  // The records of answer, followed by those that another server gave for answer.alias.
  DnsBytes encode_with(const DnsAnswer& answer, DnsWire alias_response, std::size_t size) const;
  // The same question about another name.
  DnsBytes query_for(const std::string& name) const;

 private:
  struct Free {
    void operator()(ldns_struct_pkt* packet) const;
  };
  using Packet = std::unique_ptr<ldns_struct_pkt, Free>;
  DnsQuery() = default;
  Packet start_response(DnsCode code) const;

  Packet packet_;
  DnsCode code_ = DnsCode::NoError;
  DnsQuestion question_;
};

// Whether a response answers this query: its number and its question, letter for letter.
bool dns_answers(DnsWire query, DnsWire response);
std::uint16_t dns_number(DnsWire message);
void set_dns_number(DnsBytes& message, std::uint16_t number);

}  // namespace keelson::proxy

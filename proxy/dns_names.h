// Kubernetes' names of Services and pods, resolved: DNS-based service discovery, version 1.1. Pure;
// the wire is dns_message.h's, the sockets are dns_server.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ipv4.h"
#include "proxy/service_directory.h"

namespace keelson::proxy {

// Numbers of RFC 1035, 2782 and 3596.
enum class DnsType : std::uint16_t {
  A = 1,
  Ns = 2,
  Cname = 5,
  Soa = 6,
  Ptr = 12,
  Txt = 16,
  Aaaa = 28,
  Srv = 33,
  Any = 255,
};
enum class DnsCode {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NxDomain = 3,
  NotImp = 4,
  Refused = 5
};

struct DnsQuestion {
  std::vector<std::string> labels;  // in lower case, from left to right
  std::uint16_t type = 0;
};

struct DnsRecord {
  std::string owner = {};  // empty: the name that was asked for
  DnsType type = DnsType::A;
  std::uint32_t address_be = 0;  // A
  std::uint16_t port = 0;        // SRV
  std::string text = {};  // NS, CNAME, PTR and SRV: a name without its last dot; TXT: the text
};

struct DnsAnswer {
  DnsCode code = DnsCode::NoError;
  std::vector<DnsRecord>
      records;  // none and NoError: the name exists, but has nothing of this type
  std::vector<DnsRecord> additional;
  std::string alias = {};  // where a CNAME among the records leads, to be looked up as well
};

struct DnsZone {
  std::string name = "cluster.local";
  Ipv4Range service_range;
  std::uint32_t server_address_be = 0;  // the cluster's DNS Service: ns.dns.ZONE
};

inline constexpr std::uint32_t dns_ttl_s = 5;  // CoreDNS' own default

// nullopt: not ours to answer.
std::optional<DnsAnswer> resolve(const ServiceDirectory& directory, const DnsZone& zone,
                                 const DnsQuestion& question);

std::string dns_lower(std::string_view label);  // ASCII alone, as DNS compares
// "www.Example.org." → {"www", "example", "org"}
std::vector<std::string> dns_labels(std::string_view name);

}  // namespace keelson::proxy

// DNS as clients see it: queries made by ldns, responses put into words by it.
#pragma once

#include <fmt/format.h>
// ldns makes macros of true and false unless this has come before.
#include <stdbool.h>

#include <ldns/ldns.h>

#include <cstdlib>
#include <string>

#include "proxy/dns_message.h"

namespace keelson::proxy {

// edns_bytes 0: without EDNS.
inline DnsBytes dns_query(const std::string& name, const std::string& type,
                          std::uint16_t edns_bytes = 0) {
  ldns_pkt* packet =
      ::ldns_pkt_query_new(::ldns_dname_new_frm_str((name + '.').c_str()),
                           ::ldns_get_rr_type_by_name(type.c_str()), LDNS_RR_CLASS_IN, LDNS_RD);
  ::ldns_pkt_set_id(packet, 0x4b65);
  if (edns_bytes != 0) ::ldns_pkt_set_edns_udp_size(packet, edns_bytes);
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  ::ldns_pkt2wire(&data, packet, &size);
  DnsBytes wire(data, data + size);
  std::free(data);
  ::ldns_pkt_free(packet);
  return wire;
}

inline std::string dns_text(const ldns_rr_list* records) {
  std::string text;
  for (std::size_t i = 0; i < ::ldns_rr_list_rr_count(records); ++i) {
    char* line = ::ldns_rr2str(::ldns_rr_list_rr(records, i));
    std::string words = line;
    std::free(line);
    for (char& c : words)
      if (c == '\t') c = ' ';
    words.pop_back();  // the newline
    text += (text.empty() ? "" : "; ") + words;
  }
  return text;
}

// "NOERROR aa tc: RECORD; RECORD | AUTHORITY", "unreadable".
inline std::string dns_text(DnsWire wire) {
  ldns_pkt* packet = nullptr;
  if (::ldns_wire2pkt(&packet, wire.data(), wire.size()) != LDNS_STATUS_OK) return "unreadable";
  char* code = ::ldns_pkt_rcode2str(::ldns_pkt_get_rcode(packet));
  std::string text = code;
  std::free(code);
  if (::ldns_pkt_aa(packet)) text += " aa";
  if (::ldns_pkt_tc(packet)) text += " tc";
  text += ": " + dns_text(::ldns_pkt_answer(packet));
  const std::string authority = dns_text(::ldns_pkt_authority(packet));
  if (!authority.empty()) text += " | " + authority;
  ::ldns_pkt_free(packet);
  return text;
}

}  // namespace keelson::proxy

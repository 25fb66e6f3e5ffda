// Between ldns' packets and our questions and answers.
#include "proxy/dns_message.h"

// ldns makes macros of true and false unless this has come before.
#include <stdbool.h>

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace keelson::proxy {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t number_at = 0, flags_at = 2, counts_at = 4;

std::uint16_t number_in(DnsWire wire, std::size_t at) {
  return static_cast<std::uint16_t>(wire[at] << 8 | wire[at + 1]);
}

bool is_response(DnsWire wire) {
  return (wire[flags_at] & 0x80) != 0;
}

// Where the one question ends; 0: it is not whole, or its name is compressed, which the first name
// of a message cannot be.
std::size_t end_of_question(DnsWire wire) {
  std::size_t at = header_bytes;
  while (at < wire.size() && wire[at] != 0) {
    if (wire[at] > LDNS_MAX_LABELLEN) return 0;
    at += 1 + wire[at];
  }
  const std::size_t end = at + 1 + 4;  // the root label, type and class
  return end <= wire.size() && end - header_bytes - 4 <= LDNS_MAX_DOMAINLEN ? end : 0;
}

// One question, nothing that only answers have, room for EDNS and a signature behind.
bool looks_like_query(DnsWire wire) {
  if (wire.size() < header_bytes || wire.size() > dns_query_bytes_max || is_response(wire))
    return false;
  const std::uint16_t questions = number_in(wire, counts_at);
  const std::uint16_t answers = number_in(wire, counts_at + 2);
  const std::uint16_t authorities = number_in(wire, counts_at + 4);
  const std::uint16_t additional = number_in(wire, counts_at + 6);
  return questions == 1 && answers == 0 && authorities == 0 && additional <= 2 &&
         end_of_question(wire) != 0;
}

std::vector<std::string> labels_of(const ldns_rdf* name) {
  std::vector<std::string> labels;
  const std::span<const std::uint8_t> data(::ldns_rdf_data(name), ::ldns_rdf_size(name));
  for (std::size_t at = 0; at < data.size() && data[at] != 0; at += 1 + data[at]) {
    labels.push_back(dns_lower({reinterpret_cast<const char*>(&data[at + 1]), data[at]}));
  }
  return labels;
}

const ldns_rr* question_of(const ldns_pkt* packet) {
  return ::ldns_rr_list_rr(::ldns_pkt_question(packet), 0);
}

struct FreeRecord {
  void operator()(ldns_rr* record) const { ::ldns_rr_free(record); }
};
using RecordPtr = std::unique_ptr<ldns_rr, FreeRecord>;

// False: no name (a label too long or empty); the record has to be left out.
bool add_name(ldns_rr* record, const std::string& name) {
  ldns_rdf* data = ::ldns_dname_new_frm_str((name + '.').c_str());
  return data != nullptr && ::ldns_rr_push_rdf(record, data);
}

bool add_number(ldns_rr* record, std::uint16_t number) {
  return ::ldns_rr_push_rdf(record, ::ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, number));
}

bool add_time(ldns_rr* record, std::uint32_t number) {
  return ::ldns_rr_push_rdf(record, ::ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, number));
}

bool add_text(ldns_rr* record, const std::string& text) {
  DnsBytes data = {static_cast<std::uint8_t>(text.size())};  // a length in front
  data.insert(data.end(), text.begin(), text.end());
  return ::ldns_rr_push_rdf(record,
                            ::ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, data.size(), data.data()));
}

// Serial, refresh and retry are nobody's: the zone has no secondaries. Last: how long to remember
// that a name does not exist.
bool add_soa(ldns_rr* record, const std::string& zone) {
  constexpr std::uint32_t serial = 1, refresh_s = 7'200, retry_s = 1'800, expire_s = 86'400;
  return add_name(record, "ns.dns." + zone) && add_name(record, "hostmaster." + zone) &&
         ::ldns_rr_push_rdf(record, ::ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, serial)) &&
         add_time(record, refresh_s) && add_time(record, retry_s) && add_time(record, expire_s) &&
         add_time(record, dns_ttl_s);
}

bool add_data(ldns_rr* to, const DnsRecord& record, const std::string& zone) {
  switch (record.type) {
    case DnsType::A:
      return ::ldns_rr_push_rdf(to,
                                ::ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, 4, &record.address_be));
    case DnsType::Srv:  // priority, weight, port, target
      return add_number(to, 0) && add_number(to, 100) && add_number(to, record.port) &&
             add_name(to, record.text);
    case DnsType::Txt:
      return add_text(to, record.text);
    case DnsType::Soa:
      return add_soa(to, zone);
    default:
      return add_name(to, record.text);
  }
}

// What no record can hold (an external name that is none) is left out.
void push(ldns_pkt* packet, ldns_pkt_section section, const DnsRecord& record,
          const std::string& zone) {
  RecordPtr made(::ldns_rr_new());
  const bool is_asked = record.owner.empty();
  ldns_rdf* owner = is_asked ? ::ldns_rdf_clone(::ldns_rr_owner(question_of(packet)))
                             : ::ldns_dname_new_frm_str((record.owner + '.').c_str());
  if (owner == nullptr) return;
  ::ldns_rr_set_owner(made.get(), owner);
  ::ldns_rr_set_type(made.get(), static_cast<ldns_rr_type>(record.type));
  ::ldns_rr_set_class(made.get(), LDNS_RR_CLASS_IN);
  ::ldns_rr_set_ttl(made.get(), dns_ttl_s);
  if (add_data(made.get(), record, zone)) ::ldns_pkt_push_rr(packet, section, made.release());
}

DnsBytes wire_of(const ldns_pkt* packet) {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (::ldns_pkt2wire(&data, packet, &size) != LDNS_STATUS_OK) return {};
  DnsBytes bytes(data, data + size);
  std::free(data);
  return bytes;
}

void pop(ldns_pkt* packet, ldns_pkt_section section) {
  ldns_rr_list* list =
      section == LDNS_SECTION_ANSWER ? ::ldns_pkt_answer(packet) : ::ldns_pkt_additional(packet);
  ::ldns_rr_free(::ldns_rr_list_pop_rr(list));
  const auto count = static_cast<std::uint16_t>(::ldns_rr_list_rr_count(list));
  ::ldns_pkt_set_section_count(packet, section, count);
}

// Additional records go first, without a word; then answers, and the client may ask again by TCP.
DnsBytes wire_within(ldns_pkt* packet, std::size_t size) {
  DnsBytes bytes = wire_of(packet);
  while (bytes.size() > size) {
    const std::size_t extra = ::ldns_pkt_ancount(packet) + ::ldns_pkt_arcount(packet);
    if (extra == 0) break;
    // About as many as are too many by the mean size of a record; at least one.
    const std::size_t excess = (bytes.size() - size) * extra / bytes.size() + 1;
    for (std::size_t i = 0; i < excess; ++i) {
      const bool has_additional = ::ldns_pkt_arcount(packet) > 0;
      if (!has_additional) ::ldns_pkt_set_tc(packet, true);
      if (!has_additional && ::ldns_pkt_ancount(packet) == 0) break;
      pop(packet, has_additional ? LDNS_SECTION_ADDITIONAL : LDNS_SECTION_ANSWER);
    }
    bytes = wire_of(packet);
  }
  return bytes;
}

}  // namespace

void DnsQuery::Free::operator()(ldns_pkt* packet) const {
  ::ldns_pkt_free(packet);
}

DnsQuery::DnsQuery(DnsQuery&&) noexcept = default;
DnsQuery& DnsQuery::operator=(DnsQuery&&) noexcept = default;
DnsQuery::~DnsQuery() = default;

std::optional<DnsQuery> DnsQuery::parse(DnsWire wire) {
  if (!looks_like_query(wire)) return std::nullopt;
  ldns_pkt* packet = nullptr;
  if (::ldns_wire2pkt(&packet, wire.data(), wire.size()) != LDNS_STATUS_OK) return std::nullopt;
  DnsQuery query;
  query.packet_.reset(packet);
  const ldns_rr* question = question_of(packet);
  if (question == nullptr) return std::nullopt;
  query.question_ = {.labels = labels_of(::ldns_rr_owner(question)),
                     .type = static_cast<std::uint16_t>(::ldns_rr_get_type(question))};
  if (::ldns_pkt_get_opcode(packet) != LDNS_PACKET_QUERY)
    query.code_ = DnsCode::NotImp;
  else if (::ldns_rr_get_class(question) != LDNS_RR_CLASS_IN)
    query.code_ = DnsCode::Refused;
  return query;
}

std::size_t DnsQuery::udp_bytes_max() const {
  if (!::ldns_pkt_edns(packet_.get())) return dns_udp_bytes_plain;
  return std::clamp<std::size_t>(::ldns_pkt_edns_udp_size(packet_.get()), dns_udp_bytes_plain,
                                 dns_udp_bytes_max);
}

DnsQuery::Packet DnsQuery::start_response(DnsCode code) const {
  Packet response(::ldns_pkt_new());
  ldns_pkt* packet = response.get();
  ::ldns_pkt_set_id(packet, ::ldns_pkt_id(packet_.get()));
  ::ldns_pkt_set_qr(packet, true);
  ::ldns_pkt_set_opcode(packet, ::ldns_pkt_get_opcode(packet_.get()));
  ::ldns_pkt_set_rd(packet, ::ldns_pkt_rd(packet_.get()));
  ::ldns_pkt_set_ra(packet, true);
  ::ldns_pkt_set_rcode(packet, static_cast<std::uint8_t>(code));
  ::ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, ::ldns_rr_clone(question_of(packet_.get())));
  if (::ldns_pkt_edns(packet_.get())) ::ldns_pkt_set_edns_udp_size(packet, dns_udp_bytes_max);
  return response;
}

DnsBytes DnsQuery::encode(const DnsAnswer& answer, const DnsZone& zone, std::size_t size) const {
  const Packet response = start_response(answer.code);
  ::ldns_pkt_set_aa(response.get(), true);
  for (const auto& record : answer.records)
    push(response.get(), LDNS_SECTION_ANSWER, record, zone.name);
  for (const auto& record : answer.additional)
    push(response.get(), LDNS_SECTION_ADDITIONAL, record, zone.name);
  if (answer.records.empty())
    push(response.get(), LDNS_SECTION_AUTHORITY, {.owner = zone.name, .type = DnsType::Soa},
         zone.name);
  return wire_within(response.get(), size);
}

DnsBytes DnsQuery::encode_failure(DnsCode code) const {
  return wire_of(start_response(code).get());
}

DnsBytes DnsQuery::encode_with(const DnsAnswer& answer, DnsWire alias_response,
                               std::size_t size) const {
  ldns_pkt* parsed = nullptr;
  if (::ldns_wire2pkt(&parsed, alias_response.data(), alias_response.size()) != LDNS_STATUS_OK)
    return encode_failure(DnsCode::ServFail);
  const Packet theirs(parsed);
  const Packet response = start_response(static_cast<DnsCode>(::ldns_pkt_get_rcode(parsed)));
  for (const auto& record : answer.records) push(response.get(), LDNS_SECTION_ANSWER, record, "");
  const ldns_rr_list* records = ::ldns_pkt_answer(parsed);
  for (std::size_t i = 0; i < ::ldns_rr_list_rr_count(records); ++i)
    ::ldns_pkt_push_rr(response.get(), LDNS_SECTION_ANSWER,
                       ::ldns_rr_clone(::ldns_rr_list_rr(records, i)));
  return wire_within(response.get(), size);
}

DnsBytes DnsQuery::query_for(const std::string& name) const {
  ldns_rdf* owner = ::ldns_dname_new_frm_str((name + '.').c_str());
  if (owner == nullptr) return {};
  const Packet query(::ldns_pkt_query_new(owner, static_cast<ldns_rr_type>(question_.type),
                                          LDNS_RR_CLASS_IN, LDNS_RD));
  ::ldns_pkt_set_edns_udp_size(query.get(), dns_udp_bytes_max);
  return wire_of(query.get());
}

bool dns_answers(DnsWire query, DnsWire response) {
  const std::size_t end = end_of_question(query);
  return response.size() >= header_bytes && end != 0 && response.size() >= end &&
         is_response(response) && dns_number(query) == dns_number(response) &&
         number_in(response, counts_at) == 1 &&
         std::equal(query.begin() + header_bytes, query.begin() + static_cast<std::ptrdiff_t>(end),
                    response.begin() + header_bytes);
}

std::uint16_t dns_number(DnsWire message) {
  return number_in(message, number_at);
}

void set_dns_number(DnsBytes& message, std::uint16_t number) {
  message[number_at] = static_cast<std::uint8_t>(number >> 8);
  message[number_at + 1] = static_cast<std::uint8_t>(number);
}

}  // namespace keelson::proxy

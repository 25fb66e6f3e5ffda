// DNS messages as they are on the wire, good and bad.
#include "proxy/dns_message.h"

#include <fmt/format.h>
// ldns makes macros of true and false unless this has come before.
#include <stdbool.h>

#include <ldns/ldns.h>

#include <iostream>

#include "base/random.h"
#include "tests/proxy/dns_client.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

const DnsZone zone{};

DnsAnswer addresses(int count) {
  DnsAnswer answer;
  for (int i = 0; i < count; ++i)
    answer.records.push_back(
        {.type = DnsType::A, .address_be = static_cast<std::uint32_t>(i) << 16 | 10});
  return answer;
}

}  // namespace

TEST_GROUP(DnsMessage){};

TEST(DnsMessage, reads_a_question_in_any_case_and_answers_in_the_same) {
  const auto query = DnsQuery::parse(dns_query("WeB.default.SVC.cluster.local", "A"));
  CHECK(query.has_value());
  CHECK(query->code() == DnsCode::NoError);
  CHECK(query->question().labels == dns_labels("web.default.svc.cluster.local"));
  const auto answer = query->encode(addresses(1), zone, 512);
  STRCMP_EQUAL("NOERROR aa: WeB.default.SVC.cluster.local. 5 IN A 10.0.0.0",
               dns_text(answer).c_str());
}

TEST(DnsMessage, every_kind_of_record_is_written_as_it_should) {
  const auto query = DnsQuery::parse(dns_query("x.cluster.local", "ANY"));
  const DnsAnswer answer{
      .records = {{.type = DnsType::Srv, .port = 80, .text = "web.default.svc.cluster.local"},
                  {.type = DnsType::Ptr, .text = "a.b"},
                  {.type = DnsType::Ns, .text = "c.d"},
                  {.type = DnsType::Cname, .text = "e.f"},
                  {.type = DnsType::Txt, .text = "1.1.0"},
                  {.type = DnsType::Soa}},
      .additional = {{.owner = "web.default.svc.cluster.local", .address_be = 10}}};
  STRCMP_EQUAL(
      "NOERROR aa: x.cluster.local. 5 IN SRV 0 100 80 web.default.svc.cluster.local.; "
      "x.cluster.local. 5 IN PTR a.b.; x.cluster.local. 5 IN NS c.d.; x.cluster.local. 5 IN CNAME "
      "e.f.; x.cluster.local. 5 IN TXT \"1.1.0\"; x.cluster.local. 5 IN SOA ns.dns.cluster.local. "
      "hostmaster.cluster.local. 1 7200 1800 86400 5",
      dns_text(query->encode(answer, zone, 512)).c_str());
}

TEST(DnsMessage, no_such_name_and_no_such_type_say_how_long_to_remember) {
  const auto query = DnsQuery::parse(dns_query("x.cluster.local", "A"));
  const std::string soa =
      "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5";
  STRCMP_EQUAL(("NXDOMAIN aa:  | " + soa).c_str(),
               dns_text(query->encode({.code = DnsCode::NxDomain}, zone, 512)).c_str());
  STRCMP_EQUAL(("NOERROR aa:  | " + soa).c_str(), dns_text(query->encode({}, zone, 512)).c_str());
}

TEST(DnsMessage, what_does_not_fit_is_left_out_and_said_to_be) {
  const auto plain = DnsQuery::parse(dns_query("web.default.svc.cluster.local", "A"));
  LONGS_EQUAL(512, plain->udp_bytes_max());
  const auto cut = plain->encode(addresses(100), zone, plain->udp_bytes_max());
  CHECK(cut.size() <= 512);
  STRCMP_CONTAINS(" tc", dns_text(cut).c_str());
  STRCMP_CONTAINS("IN A 10.0.20.0", dns_text(cut).c_str());  // as many as fit
  const auto whole = plain->encode(addresses(100), zone, dns_tcp_bytes_max);
  STRCMP_CONTAINS("10.0.99.0", dns_text(whole).c_str());
  CHECK(!dns_text(whole).contains(" tc"));

  const auto edns = DnsQuery::parse(dns_query("web.default.svc.cluster.local", "A", 4'096));
  LONGS_EQUAL(1'232, edns->udp_bytes_max());
  CHECK(edns->encode(addresses(100), zone, edns->udp_bytes_max()).size() <= 1'232);
  CHECK(edns->encode(addresses(3'000), zone, 65'535).size() <= 65'535);
  LONGS_EQUAL(512, DnsQuery::parse(dns_query("a", "A", 100))->udp_bytes_max());
}

TEST(DnsMessage, additional_records_go_first_and_without_a_word) {
  const auto query = DnsQuery::parse(dns_query("web.default.svc.cluster.local", "SRV"));
  DnsAnswer answer{.records = {{.type = DnsType::Srv, .port = 80, .text = "a.cluster.local"}}};
  for (int i = 0; i < 100; ++i)
    answer.additional.push_back({.owner = fmt::format("pod{}.cluster.local", i), .address_be = 10});
  const auto text = dns_text(query->encode(answer, zone, 512));
  CHECK(!text.contains(" tc"));
  STRCMP_CONTAINS("SRV 0 100 80 a.cluster.local.", text.c_str());
}

TEST(DnsMessage, what_can_only_be_refused_is_refused) {
  auto update = dns_query("a.cluster.local", "A");
  update[2] |= 5 << 3;
  CHECK(DnsQuery::parse(update)->code() == DnsCode::NotImp);
  auto chaos = dns_query("version.bind", "TXT");
  chaos.back() = 3;  // the question's class, the last of a query without EDNS
  const auto query = DnsQuery::parse(chaos);
  CHECK(query->code() == DnsCode::Refused);
  STRCMP_EQUAL("REFUSED: ", dns_text(query->encode_failure(query->code())).c_str());
}

TEST(DnsMessage, what_is_no_query_is_dropped) {
  const auto good = dns_query("web.default.svc.cluster.local", "A");
  auto response = good, two_questions = good, with_answer = good, with_authority = good,
       many_additional = good, compressed = good, endless = good, long_label = good;
  response[2] |= 0x80;
  two_questions[5] = 2;
  with_answer[7] = 1;
  with_authority[9] = 1;
  many_additional[11] = 3;
  compressed[12] = 0xc0;  // a pointer to itself
  compressed[13] = 12;
  endless.resize(endless.size() - 5);
  long_label[12] = 64;
  DnsBytes too_long = good;
  too_long.resize(dns_query_bytes_max + 1);
  struct Case {
    const char* what;
    DnsBytes wire;
  };
  const Case cases[] = {{"nothing", {}},
                        {"half a header", {good.begin(), good.begin() + 7}},
                        {"a header", {good.begin(), good.begin() + 12}},
                        {"a response", response},
                        {"two questions", two_questions},
                        {"an answer", with_answer},
                        {"an authority", with_authority},
                        {"many additional", many_additional},
                        {"a compressed name", compressed},
                        {"no end", endless},
                        {"a label of 64", long_label},
                        {"too long", too_long}};
  for (const auto& c : cases) CHECK_TEXT(!DnsQuery::parse(c.wire), c.what);
}

TEST(DnsMessage, an_alias_is_followed_by_what_the_other_server_said) {
  const auto query = DnsQuery::parse(dns_query("ext.default.svc.cluster.local", "A"));
  const DnsAnswer answer{.records = {{.type = DnsType::Cname, .text = "example.org"}},
                         .alias = "example.org"};
  const auto theirs = DnsQuery::parse(query->query_for("example.org"));
  CHECK(theirs->question().labels == dns_labels("example.org"));
  const auto response = theirs->encode(addresses(1), zone, 512);
  STRCMP_EQUAL(
      "NOERROR: ext.default.svc.cluster.local. 5 IN CNAME example.org.; example.org. 5 IN A "
      "10.0.0.0",
      dns_text(query->encode_with(answer, response, 512)).c_str());
  STRCMP_EQUAL("SERVFAIL: ", dns_text(query->encode_with(answer, DnsBytes{1, 2, 3}, 512)).c_str());
}

TEST(DnsMessage, a_name_no_record_can_hold_has_none) {
  const auto query = DnsQuery::parse(dns_query("x.cluster.local", "A"));
  const DnsAnswer answer{.records = {{.type = DnsType::Cname, .text = "a..b (\n"}}};
  STRCMP_EQUAL("NOERROR aa: ", dns_text(query->encode(answer, zone, 512)).c_str());
}

TEST(DnsMessage, a_response_belongs_to_its_query_by_number_and_question) {
  const auto query = dns_query("web.default.svc.cluster.local", "A");
  const auto response = DnsQuery::parse(query)->encode(addresses(1), zone, 512);
  CHECK(dns_answers(query, response));
  auto other_number = response, other_case = response, no_response = response;
  other_number[1] ^= 1;
  other_case[13] ^= 0x20;
  no_response[2] &= 0x7f;
  CHECK(!dns_answers(query, other_number));
  CHECK(!dns_answers(query, other_case));
  CHECK(!dns_answers(query, no_response));
  CHECK(!dns_answers(query, DnsWire(response).first(20)));
  CHECK(!dns_answers(query, {}));
}

// Goal: no bytes from the network crash or stall us. Method: good queries with random damage, and
// random bytes behind a plausible header; under the sanitizers as well.
TEST(DnsMessage, damaged_messages_are_dropped_or_answered) {
  const std::uint64_t seed = SystemRandom().next();
  SeededRandom random(seed);
  std::cout << "dns_message seed " << seed << '\n';
  const auto base = dns_query("web.default.svc.cluster.local", "A", 1'232);
  for (int i = 0; i < 4'000; ++i) {
    DnsBytes wire = base;
    if (i % 3 == 0) {
      wire.resize(12 + random.below(300));
      for (std::size_t at = 12; at < wire.size(); ++at)
        wire[at] = static_cast<std::uint8_t>(random.next());
    }
    for (std::uint64_t n = random.below(6); n > 0; --n)
      wire[random.below(wire.size())] = static_cast<std::uint8_t>(random.next());
    if (random.below(4) == 0) wire.resize(random.below(wire.size() + 1));
    (void)dns_answers(base, wire);
    const auto query = DnsQuery::parse(wire);
    if (!query) continue;
    CHECK(query->encode(addresses(30), zone, query->udp_bytes_max()).size() <= 1'232);
    CHECK(!query->encode_failure(DnsCode::ServFail).empty());
    (void)query->encode_with({}, wire, 512);
  }
}

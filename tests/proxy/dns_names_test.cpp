// Names of Services, endpoints and pods, and what they resolve to.
#include "proxy/dns_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/service_directory.h"
#include "tests/proxy/objects.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

DnsType type_of(const std::string& text) {
  if (text == "A") return DnsType::A;
  if (text == "AAAA") return DnsType::Aaaa;
  if (text == "SRV") return DnsType::Srv;
  if (text == "PTR") return DnsType::Ptr;
  if (text == "TXT") return DnsType::Txt;
  if (text == "SOA") return DnsType::Soa;
  if (text == "NS") return DnsType::Ns;
  return DnsType::Any;
}

std::string text_of(const DnsRecord& record) {
  switch (record.type) {
    case DnsType::A:
      return (record.owner.empty() ? "" : record.owner + '=') + ipv4_text(record.address_be);
    case DnsType::Srv:
      return fmt::format("{}:{}", record.text, record.port);
    case DnsType::Cname:
      return "alias " + record.text;
    case DnsType::Soa:
      return "SOA";
    default:
      return record.text;
  }
}

std::string text_of(const std::optional<DnsAnswer>& answer) {
  if (!answer) return "elsewhere";
  if (answer->code == DnsCode::NxDomain) return "NXDOMAIN";
  std::vector<std::string> words;
  for (const auto& record : answer->records) words.push_back(text_of(record));
  std::ranges::sort(words);
  std::string text = words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, " "));
  for (const auto& record : answer->additional) text += " +" + text_of(record);
  return text;
}

}  // namespace

TEST_GROUP(DnsNames) {
  ServiceDirectory directory{"node-1"};
  DnsZone zone{.service_range = *parse_ipv4_range("10.96.0.0/16"),
               .server_address_be = *parse_ipv4("10.96.0.10")};

  void setup() override {
    directory.put(make_service("web", "10.96.0.20", {{"http", 80}, {"metrics", 9090}}));
    directory.put(make_slice("web-1", "web", {{"http", 8080}, {"metrics", 9090}}, {{"10.88.0.2"}}));
    directory.put(make_service("db", "None", {{"sql", 5432}, {"stat", 9999, 0, "UDP"}}));
    directory.put(make_slice("db-1", "db", {{"sql", 5432}, {"stat", 9999, 0, "UDP"}},
                             {{.address = "10.88.0.3", .hostname = "db-0"},
                              {.address = "10.88.1.3"},
                              {.address = "10.88.2.3", .hostname = "db-2", .ready = false}}));
    directory.put(make_service("empty", "None", {{"", 80}}));
    auto external = make_service("external", "", {});
    external.mutable_spec()->set_type("ExternalName");
    external.mutable_spec()->set_externalname("example.org");
    directory.put(external);
  }
  std::string ask(const std::string& type, const std::string& name) {
    return text_of(
        resolve(directory, zone,
                {.labels = dns_labels(name), .type = static_cast<std::uint16_t>(type_of(type))}));
  }
  struct Case {
    const char* type;
    const char* name;
    const char* answer;
  };
  void check(std::initializer_list<Case> cases) {
    for (const auto& c : cases)
      STRCMP_EQUAL_TEXT(c.answer, ask(c.type, c.name).c_str(),
                        fmt::format("{} {}", c.type, c.name).c_str());
  }
};

TEST(DnsNames, a_service_has_its_cluster_address) {
  check({{"A", "web.default.svc.cluster.local", "10.96.0.20"},
         {"A", "WEB.Default.svc.CLUSTER.local.", "10.96.0.20"},
         {"ANY", "web.default.svc.cluster.local", "10.96.0.20"},
         {"AAAA", "web.default.svc.cluster.local", "nothing"},
         {"TXT", "web.default.svc.cluster.local", "nothing"},
         {"A", "nosuch.default.svc.cluster.local", "NXDOMAIN"},
         {"A", "web.other.svc.cluster.local", "NXDOMAIN"}});
}

TEST(DnsNames, a_headless_service_has_the_addresses_of_its_ready_pods) {
  check({{"A", "db.default.svc.cluster.local", "10.88.0.3 10.88.1.3"},
         {"AAAA", "db.default.svc.cluster.local", "nothing"},
         {"A", "empty.default.svc.cluster.local", "nothing"}});
}

TEST(DnsNames, a_pod_of_a_service_is_found_by_hostname_or_address) {
  check({{"A", "db-0.db.default.svc.cluster.local", "10.88.0.3"},
         {"A", "10-88-1-3.db.default.svc.cluster.local", "10.88.1.3"},
         {"A", "10-88-0-2.web.default.svc.cluster.local", "10.88.0.2"},
         {"AAAA", "db-0.db.default.svc.cluster.local", "nothing"},
         {"A", "10-88-0-3.db.default.svc.cluster.local", "NXDOMAIN"},  // it has a hostname
         {"A", "db-2.db.default.svc.cluster.local", "NXDOMAIN"},       // not ready
         {"A", "db-9.db.default.svc.cluster.local", "NXDOMAIN"}});
}

TEST(DnsNames, named_ports_are_found_by_srv) {
  check({{"SRV", "_http._tcp.web.default.svc.cluster.local",
          "web.default.svc.cluster.local:80 +web.default.svc.cluster.local=10.96.0.20"},
         {"SRV", "_sql._tcp.db.default.svc.cluster.local",
          "10-88-1-3.db.default.svc.cluster.local:5432 db-0.db.default.svc.cluster.local:5432"
          " +db-0.db.default.svc.cluster.local=10.88.0.3"
          " +10-88-1-3.db.default.svc.cluster.local=10.88.1.3"},
         {"SRV", "web.default.svc.cluster.local",
          "web.default.svc.cluster.local:80 web.default.svc.cluster.local:9090"
          " +web.default.svc.cluster.local=10.96.0.20"},
         {"A", "_http._tcp.web.default.svc.cluster.local", "nothing"},
         {"SRV", "_http._udp.web.default.svc.cluster.local", "NXDOMAIN"},
         {"SRV", "_nosuch._tcp.web.default.svc.cluster.local", "NXDOMAIN"},
         {"SRV", "_tcp.web.default.svc.cluster.local", "nothing"},
         {"SRV", "_udp.web.default.svc.cluster.local", "NXDOMAIN"},
         {"SRV", "_tcp.empty.default.svc.cluster.local", "NXDOMAIN"}});  // its port has no name
}

TEST(DnsNames, addresses_have_names) {
  check({{"PTR", "20.0.96.10.in-addr.arpa", "web.default.svc.cluster.local"},
         {"PTR", "3.0.88.10.in-addr.arpa", "db-0.db.default.svc.cluster.local"},
         {"PTR", "3.1.88.10.in-addr.arpa", "10-88-1-3.db.default.svc.cluster.local"},
         {"A", "20.0.96.10.in-addr.arpa", "nothing"},
         {"PTR", "99.0.96.10.in-addr.arpa", "NXDOMAIN"},  // of the service range, nobody's
         {"PTR", "2.0.88.10.in-addr.arpa", "elsewhere"},  // a pod of no headless Service
         {"PTR", "8.8.8.8.in-addr.arpa", "elsewhere"},
         {"PTR", "0.88.10.in-addr.arpa", "elsewhere"},
         {"PTR", "x.0.88.10.in-addr.arpa", "elsewhere"},
         {"PTR", "1.0.0.0.ip6.arpa", "elsewhere"}});
}

TEST(DnsNames, a_pods_name_is_its_address) {
  check({{"A", "10-88-0-9.default.pod.cluster.local", "10.88.0.9"},
         {"AAAA", "10-88-0-9.default.pod.cluster.local", "nothing"},
         {"A", "10-88-0.default.pod.cluster.local", "NXDOMAIN"},
         {"A", "10-88-0-256.default.pod.cluster.local", "NXDOMAIN"},
         {"A", "x.default.pod.cluster.local", "NXDOMAIN"},
         {"A", "a.10-88-0-9.default.pod.cluster.local", "NXDOMAIN"},
         {"A", "default.pod.cluster.local", "nothing"}});
}

TEST(DnsNames, an_external_name_is_an_alias) {
  check({{"A", "external.default.svc.cluster.local", "alias example.org"}});
  const auto answer = resolve(
      directory, zone, {.labels = dns_labels("external.default.svc.cluster.local"), .type = 1});
  STRCMP_EQUAL("example.org", answer->alias.c_str());
}

TEST(DnsNames, the_zone_describes_itself) {
  check({{"SOA", "cluster.local", "SOA"},
         {"NS", "cluster.local", "ns.dns.cluster.local"},
         {"A", "cluster.local", "nothing"},
         {"A", "ns.dns.cluster.local", "10.96.0.10"},
         {"A", "dns.cluster.local", "nothing"},
         {"TXT", "dns-version.cluster.local", "1.1.0"}});
}

TEST(DnsNames, names_between_exist_without_records_and_others_do_not) {
  check({{"A", "svc.cluster.local", "nothing"},
         {"A", "pod.cluster.local", "nothing"},
         {"A", "default.svc.cluster.local", "nothing"},
         {"A", "other.svc.cluster.local", "NXDOMAIN"},
         {"A", "nosuch.cluster.local", "NXDOMAIN"},
         {"A", "www.example.org.default.svc.cluster.local", "NXDOMAIN"},  // a search domain's try
         {"A", "a.b.c.d.e.web.default.svc.cluster.local", "NXDOMAIN"}});
}

TEST(DnsNames, other_names_are_not_ours) {
  check({{"A", "example.org", "elsewhere"},
         {"A", "local", "elsewhere"},
         {"A", "notcluster.local", "elsewhere"},
         {"A", "", "elsewhere"},
         {"A", "xcluster.local", "elsewhere"}});
}

TEST(DnsNames, what_changes_is_seen_at_once) {
  directory.erase_slice("default", "db-1");
  check({{"A", "db.default.svc.cluster.local", "nothing"},
         {"PTR", "3.0.88.10.in-addr.arpa", "elsewhere"}});
  directory.put(make_service("web", "10.96.0.21", {{"http", 80}}));
  check({{"A", "web.default.svc.cluster.local", "10.96.0.21"},
         {"PTR", "20.0.96.10.in-addr.arpa", "NXDOMAIN"},
         {"PTR", "21.0.96.10.in-addr.arpa", "web.default.svc.cluster.local"}});
  for (const char* name : {"web", "db", "empty", "external"})
    directory.erase_service("default", name);
  check({{"A", "default.svc.cluster.local", "NXDOMAIN"},
         {"PTR", "21.0.96.10.in-addr.arpa", "NXDOMAIN"}});
}

TEST(DnsNames, a_service_of_very_many_pods_has_a_bounded_answer) {
  std::vector<TestEndpoint> endpoints;
  for (int i = 0; i < 3'000; ++i)
    endpoints.push_back({fmt::format("10.88.{}.{}", i / 200, 1 + i % 200)});
  directory.put(make_slice("db-1", "db", {{"sql", 5432}}, endpoints));
  for (const auto type : {DnsType::A, DnsType::Srv})
    LONGS_EQUAL(1'000, resolve(directory, zone,
                               {.labels = dns_labels("db.default.svc.cluster.local"),
                                .type = static_cast<std::uint16_t>(type)})
                           ->records.size());
}

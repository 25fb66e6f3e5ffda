// Which backends stand behind which front, for every rule Kubernetes has about it.
#include "proxy/service_table.h"

#include <fmt/format.h>

#include "tests/proxy/objects.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

constexpr const char* here = "node-1";

// "10.88.0.2:8080 10.88.1.2:8080*" (* is on this node); "-" for a front that is gone.
std::string text(const std::optional<ServiceRow>& row) {
  if (!row) return "-";
  std::string all;
  for (const auto& backend : row->backends)
    all += fmt::format("{}{}:{}{}", all.empty() ? "" : " ", ipv4_text(backend.address_be),
                       ntohs(backend.port_be), backend.local ? "*" : "");
  return all;
}

}  // namespace

TEST_GROUP(ServiceTable) {
  ServiceTable table{here};
  std::map<lb_service_key, ServiceRow> rows;  // as they would be in the maps

  // Takes the changes, applies them to rows, returns how many there were.
  std::size_t take() {
    const RowChanges changes = table.take_changes();
    for (const auto& [key, row] : changes) {
      if (row)
        rows[key] = *row;
      else
        rows.erase(key);
    }
    return changes.size();
  }
  std::string backends(const lb_service_key& key) {
    take();
    return rows.contains(key) ? text(rows.at(key)) : "-";
  }
};

TEST(ServiceTable, joins_service_ports_and_slice_ports_by_name_and_protocol) {
  table.put(
      make_service("web", "10.96.0.10", {{"http", 80}, {"dns", 53, 0, "UDP"}, {"dns-tcp", 53}}));
  table.put(make_slice("web-1", "web", {{"http", 8080}, {"dns", 5353, 0, "UDP"}, {"dns-tcp", 5354}},
                       {{"10.88.0.2", here}, {"10.88.1.2"}}));
  STRCMP_EQUAL("10.88.0.2:8080* 10.88.1.2:8080", backends(front("10.96.0.10", 80)).c_str());
  STRCMP_EQUAL("10.88.0.2:5353* 10.88.1.2:5353",
               backends(front("10.96.0.10", 53, IPPROTO_UDP)).c_str());
  STRCMP_EQUAL("10.88.0.2:5354* 10.88.1.2:5354", backends(front("10.96.0.10", 53)).c_str());
  LONGS_EQUAL(3, rows.size());
}

TEST(ServiceTable, named_target_ports_may_differ_from_slice_to_slice) {
  table.put(make_service("web", "10.96.0.10", {{"http", 80}}));
  table.put(make_slice("web-1", "web", {{"http", 8080}}, {{"10.88.0.2"}}));
  table.put(make_slice("web-2", "web", {{"http", 9090}}, {{"10.88.0.3"}}));
  STRCMP_EQUAL("10.88.0.2:8080 10.88.0.3:9090", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, an_endpoint_in_two_slices_counts_once_and_is_ready_if_one_says_so) {
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  table.put(make_slice("a", "web", {{"", 8080}}, {{"10.88.0.2"}}));
  table.put(make_slice("b", "web", {{"", 8080}}, {{.address = "10.88.0.2", .ready = false}}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, slices_may_come_before_their_service_and_go_after_it) {
  table.put(make_slice("web-1", "web", {{"", 8080}}, {{"10.88.0.2"}}));
  STRCMP_EQUAL("-", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
  table.erase_service("default", "web");
  STRCMP_EQUAL("-", backends(front("10.96.0.10", 80)).c_str());
  table.erase_slice("default", "web-1");
  LONGS_EQUAL(0, table.directory().keys().size());
}

TEST(ServiceTable, endpoints_that_end_serve_only_while_none_is_ready) {
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  const TestEndpoint ending{.address = "10.88.0.2", .ready = false, .terminating = true};
  const TestEndpoint starting{.address = "10.88.0.3", .ready = false, .serving = false};
  const TestEndpoint failed{
      .address = "10.88.0.4", .ready = false, .serving = false, .terminating = true};
  table.put(make_slice("a", "web", {{"", 8080}}, {ending, starting, failed}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_slice("a", "web", {{"", 8080}}, {ending, starting, failed, {"10.88.0.5"}}));
  STRCMP_EQUAL("10.88.0.5:8080", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_slice("a", "web", {{"", 8080}}, {starting, failed}));
  STRCMP_EQUAL("", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, conditions_that_are_absent_mean_ready) {
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  auto slice = make_slice("a", "web", {{"", 8080}}, {{"10.88.0.2"}});
  slice.mutable_endpoints(0)->clear_conditions();
  table.put(slice);
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, a_node_port_is_a_front_for_sockets_here_and_one_for_packets_from_outside) {
  auto service = make_service("web", "10.96.0.10", {{"", 80, 30080}});
  service.mutable_spec()->set_externaltrafficpolicy("Local");
  table.put(service);
  table.put(make_slice("a", "web", {{"", 8080}}, {{"10.88.0.2", here}, {"10.88.1.2"}}));
  STRCMP_EQUAL("10.88.0.2:8080* 10.88.1.2:8080", backends(front("10.96.0.10", 80)).c_str());
  STRCMP_EQUAL("10.88.0.2:8080* 10.88.1.2:8080", backends(front("", 30080)).c_str());
  const auto outside = front("", 30080, IPPROTO_TCP, LB_OUTSIDE);
  STRCMP_EQUAL("10.88.0.2:8080*", backends(outside).c_str());
  LONGS_EQUAL(0, rows.at(outside).flags);
}

TEST(ServiceTable, traffic_policy_local_without_an_endpoint_here_is_told_from_none_at_all) {
  auto service = make_service("web", "10.96.0.10", {{"", 80}});
  service.mutable_spec()->set_internaltrafficpolicy("Local");
  table.put(service);
  STRCMP_EQUAL("", backends(front("10.96.0.10", 80)).c_str());
  LONGS_EQUAL(0, rows.at(front("10.96.0.10", 80)).flags);
  table.put(make_slice("a", "web", {{"", 8080}}, {{"10.88.1.2"}}));
  STRCMP_EQUAL("", backends(front("10.96.0.10", 80)).c_str());
  LONGS_EQUAL(LB_NONE_LOCAL, rows.at(front("10.96.0.10", 80)).flags);
}

TEST(ServiceTable, policy_local_prefers_ending_endpoints_here_to_ready_ones_elsewhere) {
  auto service = make_service("web", "10.96.0.10", {{"", 80}});
  service.mutable_spec()->set_internaltrafficpolicy("Local");
  table.put(service);
  table.put(make_slice("a", "web", {{"", 8080}},
                       {{.address = "10.88.0.2", .node = here, .ready = false, .terminating = true},
                        {"10.88.1.2"}}));
  STRCMP_EQUAL("10.88.0.2:8080*", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, affinity_has_the_services_timeout_or_three_hours) {
  auto service = make_service("web", "10.96.0.10", {{"", 80}});
  service.mutable_spec()->set_sessionaffinity("ClientIP");
  table.put(service);
  take();
  LONGS_EQUAL(10'800, rows.at(front("10.96.0.10", 80)).affinity_timeout_s);
  service.mutable_spec()->mutable_sessionaffinityconfig()->mutable_clientip()->set_timeoutseconds(
      60);
  table.put(service);
  take();
  LONGS_EQUAL(60, rows.at(front("10.96.0.10", 80)).affinity_timeout_s);
}

TEST(ServiceTable, what_is_not_this_proxys_has_no_fronts) {
  struct Case {
    const char* what;
    core::Service service;
  };
  auto headless = make_service("headless", "None", {{"", 80}});
  auto external = make_service("external", "", {{"", 80}});
  external.mutable_spec()->set_type("ExternalName");
  external.mutable_spec()->set_externalname("example.org");
  auto pending = make_service("pending", "", {{"", 80}});
  auto other = make_service("other", "10.96.0.11", {{"", 80}});
  (*other.mutable_metadata()->mutable_labels())["service.kubernetes.io/service-proxy-name"] = "x";
  auto ipv6 = make_service("ipv6", "fd00::1", {{"", 80}});
  auto sctp = make_service("sctp", "10.96.0.12", {{"", 80, 0, "SCTP"}});
  auto bad_port = make_service("bad", "10.96.0.13", {{"", 70'000}, {"b", 0}, {"c", -1}});
  const Case cases[] = {{"headless", headless},  {"ExternalName", external},
                        {"no address", pending}, {"another proxy", other},
                        {"IPv6", ipv6},          {"SCTP", sctp},
                        {"bad port", bad_port}};
  for (const auto& c : cases) {
    table.put(c.service);
    take();
    LONGS_EQUAL_TEXT(0, rows.size(), c.what);
  }
}

TEST(ServiceTable, a_dual_stack_service_has_a_front_at_its_ipv4_address) {
  auto service = make_service("web", "fd00::10", {{"", 80}});
  service.mutable_spec()->add_clusterips("fd00::10");
  service.mutable_spec()->add_clusterips("10.96.0.10");
  table.put(service);
  table.put(make_slice("a", "web", {{"", 8080}}, {{"10.88.0.2"}}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, endpoints_no_pod_can_have_are_left_out) {
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  auto slice = make_slice("a", "web", {{"", 8080}},
                          {{"127.0.0.1"},
                           {"169.254.1.1"},
                           {"224.0.0.1"},
                           {"0.0.0.0"},
                           {"255.255.255.255"},
                           {"not an address"},
                           {"10.88.0.2"}});
  slice.add_endpoints();  // without any address
  table.put(slice);
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, slices_of_other_address_types_or_without_a_service_are_left_out) {
  table.put(make_service("web", "10.96.0.10", {{"", 80}}));
  auto ipv6 = make_slice("a", "web", {{"", 8080}}, {{"10.88.0.2"}});
  ipv6.set_addresstype("IPv6");
  table.put(ipv6);
  auto unlabelled = make_slice("b", "web", {{"", 8080}}, {{"10.88.0.3"}});
  unlabelled.mutable_metadata()->mutable_labels()->clear();
  table.put(unlabelled);
  STRCMP_EQUAL("", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, a_slice_that_moves_to_another_service_leaves_the_first) {
  table.put(make_service("a", "10.96.0.10", {{"", 80}}));
  table.put(make_service("b", "10.96.0.11", {{"", 80}}));
  table.put(make_slice("s", "a", {{"", 8080}}, {{"10.88.0.2"}}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_slice("s", "b", {{"", 8080}}, {{"10.88.0.2"}}));
  STRCMP_EQUAL("", backends(front("10.96.0.10", 80)).c_str());
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.11", 80)).c_str());
}

TEST(ServiceTable, a_port_or_address_that_changes_takes_its_front_along) {
  table.put(make_service("web", "10.96.0.10", {{"a", 80, 30080}, {"b", 81}}));
  take();
  LONGS_EQUAL(4, rows.size());
  table.put(make_service("web", "10.96.0.20", {{"a", 80, 30081}}));
  take();
  LONGS_EQUAL(3, rows.size());
  CHECK(rows.contains(front("10.96.0.20", 80)));
  CHECK(rows.contains(front("", 30081)));
  CHECK(rows.contains(front("", 30081, IPPROTO_TCP, LB_OUTSIDE)));
}

TEST(ServiceTable, of_two_services_with_one_front_the_first_by_name_has_it_until_it_lets_go) {
  table.put(make_slice("s1", "b", {{"", 8080}}, {{"10.88.0.2"}}));
  table.put(make_service("b", "10.96.0.10", {{"", 80}}));
  STRCMP_EQUAL("10.88.0.2:8080", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_slice("s2", "a", {{"", 9090}}, {{"10.88.0.3"}}));
  table.put(make_service("a", "10.96.0.10", {{"", 80}}));
  STRCMP_EQUAL("10.88.0.3:9090", backends(front("10.96.0.10", 80)).c_str());
  table.put(make_slice("s1", "b", {{"", 8080}}, {{"10.88.0.4"}}));
  STRCMP_EQUAL("10.88.0.3:9090", backends(front("10.96.0.10", 80)).c_str());
  table.erase_service("default", "a");
  STRCMP_EQUAL("10.88.0.4:8080", backends(front("10.96.0.10", 80)).c_str());
}

TEST(ServiceTable, builtin_rows_are_there_first_and_win) {
  const auto dns = front("10.96.0.10", 53, IPPROTO_UDP);
  ServiceTable with_dns(
      here,
      {{dns,
        {.backends = {
             {.address_be = *parse_ipv4("169.254.20.10"), .port_be = htons(53), .local = true}}}}});
  CHECK(with_dns.has_changes());
  STRCMP_EQUAL("169.254.20.10:53*", text(with_dns.take_changes().at(dns)).c_str());
  with_dns.put(make_service("kube-dns", "10.96.0.10", {{"dns", 53, 0, "UDP"}}));
  STRCMP_EQUAL("169.254.20.10:53*", text(with_dns.take_changes().at(dns)).c_str());
  with_dns.erase_service("default", "kube-dns");
  STRCMP_EQUAL("169.254.20.10:53*", text(with_dns.take_changes().at(dns)).c_str());
}

TEST(ServiceTable, a_change_concerns_the_fronts_of_its_own_service_only) {
  for (int i = 0; i < 1'000; ++i)
    table.put(make_service(fmt::format("s{}", i), fmt::format("10.96.{}.{}", 1 + i / 200, i % 200),
                           {{"", 80}}));
  LONGS_EQUAL(1'000, take());
  table.put(make_slice("x", "s7", {{"", 8080}}, {{"10.88.0.2"}}));
  LONGS_EQUAL(1, take());
  LONGS_EQUAL(0, take());
}

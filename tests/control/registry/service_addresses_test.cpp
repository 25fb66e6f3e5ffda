// Cluster addresses and node ports: given, asked for, shared, released.
#include "control/registry/service_addresses.h"

#include <set>

#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string service(std::string_view name, std::string_view spec,
                    std::string_view ports = R"({"port":80})") {
  return fmt::format(R"({{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{}"}},
      "spec":{{"selector":{{"a":"b"}},"ports":[{}]{}}}}})",
                     name, ports, spec);
}

}  // namespace

TEST_GROUP(ServiceAddresses) {
  RegistryFixture api;
  std::string address(const Result<Answer>& answer) {
    return at(answer, "/spec/clusterIP");
  }
  std::string node_port(const Result<Answer>& answer, int port = 0) {
    return at(answer, fmt::format("/spec/ports/{}/nodePort", port));
  }
  // The registry again, with other ranges.
  void restart_with(const ServiceRanges& ranges) {
    api.settle();
    api.registry = std::make_unique<Registry>(*api.store, api.loop, api.random, api.limits, ranges);
  }
};

TEST(ServiceAddresses, gives_each_service_an_address_above_the_reserved_band) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const auto made = api.create(service("s" + std::to_string(i), ""));
    const std::string ip = address(made);
    CHECK_TRUE_TEXT(seen.insert(ip).second, ip.c_str());
    STRCMP_CONTAINS("\"10.96.", ip.c_str());
    CHECK_FALSE_TEXT(ip.starts_with("\"10.96.0."), ip.c_str());
    STRCMP_EQUAL(("[" + ip + "]").c_str(), at(made, "/spec/clusterIPs").c_str());
    STRCMP_EQUAL("", node_port(made).c_str());
  }
}

TEST(ServiceAddresses, gives_none_to_headless_and_external_services) {
  const auto headless = api.create(service("h", R"(,"clusterIP":"None")"));
  STRCMP_EQUAL("\"None\"", address(headless).c_str());
  STRCMP_EQUAL("[\"None\"]", at(headless, "/spec/clusterIPs").c_str());
  const auto external =
      api.create(service("e", R"(,"type":"ExternalName","externalName":"example.com")"));
  STRCMP_EQUAL("", address(external).c_str());
}

TEST(ServiceAddresses, takes_an_address_that_is_asked_for) {
  const auto made = api.create(service("dns", R"(,"clusterIP":"10.96.0.10")"));
  STRCMP_EQUAL("\"10.96.0.10\"", address(made).c_str());
  const std::string start =
      "422 Invalid: Service \"x\" is invalid: spec.clusterIPs: Invalid value: ";
  struct Case {
    const char* ip;
    std::string status;
  };
  const Case cases[] = {
      {"10.96.0.10",
       start + "[]string{\"10.96.0.10\"}: failed to allocate IP 10.96.0.10: provided IP is "
               "already allocated"},
      {"1.2.3.4",
       start + "[]string{\"1.2.3.4\"}: failed to allocate IP 1.2.3.4: the provided IP "
               "(1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/16"},
      {"10.96.0.0", start +
                        "[]string{\"10.96.0.0\"}: failed to allocate IP 10.96.0.0: the provided IP "
                        "(10.96.0.0) is not in the valid range. The range of valid IPs is "
                        "10.96.0.0/16"},
      {"10.96.255.255",
       start + "[]string{\"10.96.255.255\"}: failed to allocate IP 10.96.255.255: the provided IP "
               "(10.96.255.255) is not in the valid range. The range of valid IPs is 10.96.0.0/16"},
      {"10.96.255.254", "ok"},
  };
  for (const auto& c : cases) {
    STRCMP_EQUAL(
        c.status.c_str(),
        status_of(api.create(service("x", fmt::format(R"(,"clusterIP":"{}")", c.ip)))).c_str());
  }
}

TEST(ServiceAddresses, gives_node_ports_above_the_reserved_band) {
  const auto made = api.create(
      service("s", R"(,"type":"NodePort")", R"({"name":"a","port":80},{"name":"b","port":81})"));
  const int first = std::stoi(node_port(made, 0)), second = std::stoi(node_port(made, 1));
  CHECK_TRUE(first != second);
  for (const int port : {first, second}) CHECK_TRUE(port >= 30086 && port <= 32767);
}

TEST(ServiceAddresses, shares_a_node_port_among_protocols_of_one_port) {
  const char* ports =
      R"({"name":"t","port":53,"protocol":"TCP"},{"name":"u","port":53,"protocol":"UDP"})";
  const auto made = api.create(service("dns", R"(,"type":"NodePort")", ports));
  STRCMP_EQUAL(node_port(made, 0).c_str(), node_port(made, 1).c_str());
  const char* asked = R"({"name":"t","port":53,"protocol":"TCP"},
      {"name":"u","port":53,"protocol":"UDP","nodePort":30053})";
  const auto second = api.create(service("dns2", R"(,"type":"NodePort")", asked));
  STRCMP_EQUAL("30053", node_port(second, 0).c_str());
}

TEST(ServiceAddresses, refuses_node_ports_that_are_taken_or_out_of_range) {
  CHECK_TRUE(api.create(service("s", R"(,"type":"NodePort")", R"({"port":80,"nodePort":30080})"))
                 .has_value());
  const std::string start =
      "422 Invalid: Service \"x\" is invalid: spec.ports[0].nodePort: Invalid value: ";
  struct Case {
    int port;
    std::string status;
  };
  const Case cases[] = {
      {30080, start + "30080: provided port is already allocated"},
      {29999, start + "29999: provided port is not in the valid range. The range of valid ports is "
                      "30000-32767"},
      {32768, start + "32768: provided port is not in the valid range. The range of valid ports is "
                      "30000-32767"},
      {32767, "ok"},
  };
  for (const auto& c : cases) {
    const auto answer = api.create(service("x", R"(,"type":"NodePort")",
                                           fmt::format(R"({{"port":80,"nodePort":{}}})", c.port)));
    STRCMP_EQUAL(c.status.c_str(), status_of(answer).c_str());
  }
}

TEST(ServiceAddresses, says_when_nothing_is_left) {
  restart_with({.cidr = "10.96.0.0/28", .node_port_first = 30000, .node_port_last = 30001});
  for (int i = 0; i < 14; ++i) {
    CHECK_TRUE(api.create(service("s" + std::to_string(i), "")).has_value());
  }
  STRCMP_EQUAL(
      "500 InternalError: Internal error occurred: failed to allocate a serviceIP: range is full",
      status_of(api.create(service("one-more", ""))).c_str());
  for (int i = 0; i < 2; ++i) {
    CHECK_TRUE(api.update(service("s" + std::to_string(i), R"(,"type":"NodePort")")).has_value());
  }
  STRCMP_EQUAL(
      "500 InternalError: Internal error occurred: failed to allocate a nodePort: range is full",
      status_of(api.update(service("s2", R"(,"type":"NodePort")"))).c_str());
}

TEST(ServiceAddresses, keeps_what_a_service_has_through_updates_that_leave_it_out) {
  const auto made = api.create(service("s", R"(,"type":"NodePort")"));
  const auto updated =
      api.update(service("s", R"(,"type":"NodePort","sessionAffinity":"ClientIP")"));
  STRCMP_EQUAL("ok", status_of(updated).c_str());
  STRCMP_EQUAL(address(made).c_str(), address(updated).c_str());
  STRCMP_EQUAL(node_port(made).c_str(), node_port(updated).c_str());
}

TEST(ServiceAddresses, are_free_again_when_their_service_is_gone_or_needs_them_no_more) {
  const char* spec = R"(,"type":"NodePort","clusterIP":"10.96.0.20")";
  const char* port = R"({"port":80,"nodePort":30080})";
  CHECK_TRUE(api.create(service("s", spec, port)).has_value());
  CHECK_FALSE(api.create(service("t", spec, port)).has_value());
  CHECK_TRUE(api.remove("services default/s").has_value());
  CHECK_TRUE(api.create(service("t", spec, port)).has_value());
  const auto inward = api.update(service("t", R"(,"type":"ClusterIP","clusterIP":"10.96.0.20")"));
  STRCMP_EQUAL("", node_port(inward).c_str());
  CHECK_TRUE(api.create(service("u", R"(,"type":"NodePort")", port)).has_value());
}

TEST(ServiceAddresses, take_nothing_by_writes_that_fail_or_are_dry) {
  const char* spec = R"(,"type":"NodePort","clusterIP":"10.96.0.20")";
  const char* port = R"({"port":80,"nodePort":30080})";
  api.context.dry_run = true;
  const auto dry = api.create(service("s", spec, port));
  STRCMP_EQUAL("\"10.96.0.20\"", address(dry).c_str());
  api.context.dry_run = false;
  CHECK_FALSE(api.create(service("s", spec, R"({"port":80,"nodePort":1})")).has_value());
  CHECK_TRUE(api.create(service("s", spec, port)).has_value());
}

TEST(ServiceAddresses, are_known_after_a_restart) {
  const char* spec = R"(,"type":"NodePort","clusterIP":"10.96.0.20")";
  const char* port = R"({"port":80,"nodePort":30080})";
  CHECK_TRUE(api.create(service("s", spec, port)).has_value());
  api.settle();
  api.restart();
  STRCMP_CONTAINS("provided IP is already allocated",
                  status_of(api.create(service("t", spec, port))).c_str());
  STRCMP_CONTAINS("provided port is already allocated",
                  status_of(api.create(service("t", R"(,"type":"NodePort")", port))).c_str());
}

TEST(ServiceAddresses, leaves_load_balancers_without_node_ports_if_they_say_so) {
  const auto made =
      api.create(service("s", R"(,"type":"LoadBalancer","allocateLoadBalancerNodePorts":false)"));
  STRCMP_EQUAL("", node_port(made).c_str());
  CHECK_TRUE(address(made).starts_with("\"10.96."));
  const auto local =
      api.create(service("l", R"(,"type":"LoadBalancer","externalTrafficPolicy":"Local")"));
  CHECK_TRUE(std::stoi(at(local, "/spec/healthCheckNodePort")) >= 30086);
  CHECK_TRUE(at(local, "/spec/healthCheckNodePort") != node_port(local));
}

TEST(ServiceAddresses, know_the_first_address) {
  STRCMP_EQUAL("10.96.0.1", api.registry->service_addresses().first_address().c_str());
}

// Cluster DNS as a pod meets it: the address of the DNS Service leads, at connect and sendmsg, to
// the server on the node's own loopback.
#include <fmt/format.h>
#include <sys/socket.h>

#include "base/system_loop.h"
#include "proxy/dns_server.h"
#include "proxy/local_address.h"
#include "tests/bpf/node.h"
#include "tests/bpf/pod_world.h"
#include "tests/proxy/dns_client.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

constexpr const char* service = "10.96.0.10";
constexpr const char* server = "169.254.20.10";

DnsSettings dns_settings() {
  return {.listen_be = *parse_ipv4(server),
          .port = 53,
          .zone = {.service_range = *parse_ipv4_range("10.96.0.0/16")},
          .upstream = {.resolv_conf = "/run/resolv.conf"}};
}

// The server's process.
void serve_dns(const std::function<void()>& ready) {
  SystemLoop loop;
  SystemRandom random;
  ServiceDirectory directory("node");
  directory.put(make_service("web", "10.96.0.20", {{"http", 80}}));
  const auto opened = DnsServer::open(loop, random, directory, dns_settings());
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return;
  }
  ready();
  loop.run();
}

}  // namespace

TEST_GROUP(Dns) {
  static inline std::optional<PodWorld> world;
  std::optional<TestNode> node;

  void setup() override {
    if (cannot_test_programs()) return;
    if (!world) {
      world.emplace();
      world->sandbox.serve("node", serve_dns);
    }
    node.emplace(world->sandbox, "node", world->settings());
    RowChanges changes;
    for (const auto& [front, row] : dns_rows(*parse_ipv4(service), *parse_ipv4(server)))
      changes[front] = row;
    node->write(changes);
  }
  std::string ask(const std::string& name, const std::string& type) {
    return world->as_client([&] {
      const auto answer = exchange({service, 53}, dns_query(name, type));
      return dns_text(DnsBytes(answer.begin(), answer.end()));
    });
  }
};

TEST(Dns, a_pod_resolves_a_service_by_the_dns_services_address) {
  if (!world) return;
  STRCMP_EQUAL("NOERROR aa: web.default.svc.cluster.local. 5 IN A 10.96.0.20",
               ask("web.default.svc.cluster.local", "A").c_str());
  STRCMP_CONTAINS("NXDOMAIN", ask("nosuch.default.svc.cluster.local", "A").c_str());
}

TEST(Dns, the_answer_comes_from_the_address_that_was_asked) {
  if (!world) return;
  const auto from = world->as_client([] {
    return source_of_answer({service, 53}, dns_query("web.default.svc.cluster.local", "A"));
  });
  STRCMP_EQUAL("10.96.0.10:53", from.c_str());
}

TEST(Dns, the_servers_address_may_be_there_already) {
  if (!world) return;
  CHECK(world->sandbox.inside("node", [] { return add_local_address(*parse_ipv4(server)); })
            .has_value());
}

TEST(Dns, without_a_way_to_a_resolver_other_names_fail_at_once) {
  if (!world) return;
  // No resolv.conf at all in the node: no resolver to wait for.
  STRCMP_EQUAL("SERVFAIL: ", ask("example.org", "A").c_str());
}

// The files a pod gets of its node.
#include "nodeagent/pod_files.h"

#include "tests/nodeagent/fake_node.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(PodFiles) {
  DnsSettings settings{.cluster_ip = "10.96.0.10",
                       .node_file = "# comment\nnameserver 192.0.2.1\nsearch corp.example\n"};
  std::string resolv(const std::string& spec) {
    return resolv_file(*pod_from_text("spec { " + spec + " }"), settings);
  }
};

TEST(PodFiles, resolv_conf_follows_the_policy) {
  struct Case {
    const char* spec;
    const char* text;
  };
  const char* cluster =
      "search default.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
      "nameserver 10.96.0.10\noptions ndots:5\n";
  const char* node = "search corp.example\nnameserver 192.0.2.1\n";
  const Case cases[] = {
      {"dnsPolicy: \"ClusterFirst\"", cluster},
      {"dnsPolicy: \"Default\"", node},
      {"dnsPolicy: \"ClusterFirst\" hostNetwork: true", node},
      {"dnsPolicy: \"ClusterFirstWithHostNet\" hostNetwork: true", cluster},
      {"dnsPolicy: \"None\" dnsConfig { nameservers: \"9.9.9.9\" }", "nameserver 9.9.9.9\n"},
      {"dnsPolicy: \"Default\" dnsConfig { searches: \"a.b\" options { name: \"debug\" } }",
       "search corp.example a.b\nnameserver 192.0.2.1\noptions debug\n"},
      {"dnsPolicy: \"ClusterFirst\" dnsConfig { options { name: \"ndots\" value: \"2\" } }",
       "search default.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
       "nameserver 10.96.0.10\noptions ndots:2\n"},
  };
  for (const Case& c : cases) CHECK_EQUAL_TEXT(std::string(c.text), resolv(c.spec), c.spec);
}

TEST(PodFiles, hosts_names_the_pod_and_its_aliases) {
  const auto pod = pod_from_text(R"(spec { hostname: "db-0" subdomain: "db"
    hostAliases { ip: "192.0.2.9" hostnames: "old" hostnames: "older" } })");
  const std::string text = hosts_file(*pod, {"10.88.0.5"}, "ignored");
  CHECK(text.find("10.88.0.5\tdb-0.db.default.svc.cluster.local\tdb-0\n") != std::string::npos);
  CHECK(text.ends_with("192.0.2.9\told\tolder\n"));
}

TEST(PodFiles, a_pod_on_the_nodes_network_has_the_nodes_hosts) {
  const auto pod = pod_from_text("spec { hostNetwork: true }");
  CHECK(hosts_file(*pod, {"10.89.0.11"}, "192.0.2.1 thing\n").ends_with("192.0.2.1 thing\n"));
}

TEST(PodFiles, a_hostname_is_a_label) {
  const auto pod = pod_from_text("spec { }");
  CHECK_EQUAL(std::string("web"), hostname_of(*pod));
  pod->mutable_metadata()->set_name(std::string(62, 'a') + "-bcd");
  CHECK_EQUAL(std::string(62, 'a'), hostname_of(*pod));
}

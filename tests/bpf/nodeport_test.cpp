// Node ports as clients outside meet them: two nodes and a client on a bridge, a pod on each node.
#include <fmt/format.h>
#include <net/if.h>

#include "tests/bpf/node.h"
#include "tests/bpf/sandbox.h"
#include "tests/bpf/sockets.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

// client 10.89.0.200, node1 10.89.0.11 with pod1 10.88.1.2, node2 10.89.0.12 with pod2 10.88.2.2.
// The client has no route to pods, so it is reached by nodes only.
struct World {
  Sandbox sandbox;
  std::string cgroups[2];
  std::optional<TestNode> nodes[2];

  World() {
    sandbox.ip("",
               "netns add lan\nnetns add client\nnetns add node1\nnetns add node2\n"
               "netns add pod1\nnetns add pod2\n");
    sandbox.ip("lan", "link add br0 type bridge\nlink set br0 up\n");
    join_lan("client", "10.89.0.200/16");
    for (int i : {1, 2}) add_node(i);
    for (int i : {1, 2}) {
      cgroups[i - 1] = sandbox.make_cgroup(fmt::format("node{}", i));
      nodes[i - 1].emplace(sandbox, fmt::format("node{}", i), settings(i));
    }
  }

  void join_lan(const std::string& name, const std::string& address) {
    sandbox.ip("lan", fmt::format("link add {0} type veth peer name eth0 netns {0}\n"
                                  "link set {0} master br0\nlink set {0} up\n",
                                  name));
    sandbox.ip(name,
               fmt::format("link set lo up\naddr add {} dev eth0\nlink set eth0 up\n", address));
  }

  void add_node(int i) {
    const std::string node = fmt::format("node{}", i), pod = fmt::format("pod{}", i);
    join_lan(node, fmt::format("10.89.0.1{}/16", i));
    sandbox.sysctl(node, "ip_forward", "1");
    sandbox.sysctl(node, "icmp_ratelimit",
                   "0");  // tests ask faster than the kernel answers by ICMP
    sandbox.ip(node, fmt::format("route add 10.88.{0}.0/24 via 10.89.0.1{0}\n"
                                 "link add pod type veth peer name eth0 netns {1}\n"
                                 "addr add 10.88.{2}.1/24 dev pod\nlink set pod up\n",
                                 3 - i, pod, i));
    sandbox.ip(pod, fmt::format("link set lo up\naddr add 10.88.{0}.2/24 dev eth0\n"
                                "link set eth0 up\nroute add default via 10.88.{0}.1\n",
                                i));
    sandbox.serve(pod, answering(pod, 8080));
    sandbox.serve(node, answering(node, 8080));
  }

  DatapathSettings settings(int i) {
    const std::string node = fmt::format("node{}", i);
    return {.node_name = node,
            .bpffs = sandbox.make_bpffs(node),
            .cgroup = cgroups[i - 1],
            .uplink = sandbox.inside(node, [] { return ::if_nametoindex("eth0"); }),
            .node_addresses_be = {*parse_ipv4(fmt::format("10.89.0.1{}", i))},
            .service_range = *parse_ipv4_range("10.96.0.0/16"),
            .sizes = {.flows = 4'096}};
  }

  // The row as each node has it: an address of its own network is local there.
  void write(const std::vector<std::string>& addresses, int port, ServiceRow row = {}) {
    for (int i : {1, 2}) {
      row.backends.clear();
      for (const auto& address : addresses) {
        const bool local = address.starts_with(fmt::format("10.88.{}.", i)) ||
                           address == fmt::format("10.89.0.1{}", i);
        for (const auto& backend : backends_at({address}, port, local))
          row.backends.push_back(backend);
      }
      std::ranges::sort(row.backends);
      RowChanges changes;
      for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP})
        changes[front("", 30080, protocol, LB_OUTSIDE)] = row;
      nodes[i - 1]->write(changes);
    }
  }

  std::string as_client(const std::function<std::string()>& run) {
    return sandbox.as_client("client", "", run);
  }
};

const Target node1{"10.89.0.11", 30080};
const Target node2{"10.89.0.12", 30080};

}  // namespace

TEST_GROUP(NodePort) {
  static inline std::optional<World> world;

  void setup() override {
    if (!cannot_test_programs() && !world) world.emplace();
  }
  void teardown() override {
    if (!world) return;
    for (auto& node : world->nodes) node->clear();
  }
};

TEST(NodePort, a_backend_on_the_node_answers_and_sees_the_client) {
  if (!world) return;
  world->write({"10.88.1.2"}, 8080);
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("pod1 saw 10.89.0.200",
                 world->as_client([&] { return ask(transport, node1); }).c_str());
}

TEST(NodePort, a_backend_elsewhere_answers_through_the_node) {
  if (!world) return;
  world->write({"10.88.2.2"}, 8080);
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("pod2 saw 10.89.0.11",
                 world->as_client([&] { return ask(transport, node1); }).c_str());
}

TEST(NodePort, every_backend_answers_at_every_node) {
  if (!world) return;
  world->write({"10.88.1.2", "10.88.2.2"}, 8080);
  for (const auto& target : {node1, node2})
    for (const auto transport : {Transport::Tcp, Transport::Udp})
      STRCMP_EQUAL("pod1 pod2",
                   world->as_client([&] { return who_answers(transport, target, 40); }).c_str());
}

TEST(NodePort, a_process_of_a_node_can_be_the_backend) {
  if (!world) return;
  world->write({"10.89.0.11"}, 8080);
  for (const auto transport : {Transport::Tcp, Transport::Udp}) {
    STRCMP_EQUAL("node1 saw 10.89.0.200",
                 world->as_client([&] { return ask(transport, node1); }).c_str());
    STRCMP_EQUAL("node1 saw 10.89.0.12",
                 world->as_client([&] { return ask(transport, node2); }).c_str());
  }
}

TEST(NodePort, a_pod_reaches_the_port_of_another_node_even_when_it_is_the_backend_itself) {
  if (!world) return;
  world->write({"10.88.2.2"}, 8080);
  STRCMP_EQUAL(
      "pod2 saw 10.89.0.11",
      world->sandbox.as_client("pod2", world->cgroups[1], [] { return ask(Transport::Tcp, node1); })
          .c_str());
  STRCMP_EQUAL(
      "pod2 saw 10.88.1.2",
      world->sandbox.as_client("pod1", world->cgroups[0], [] { return ask(Transport::Tcp, node2); })
          .c_str());
}

TEST(NodePort, megabytes_arrive_whole_from_here_and_from_elsewhere) {
  if (!world) return;
  for (const char* pod : {"10.88.1.2", "10.88.2.2"}) {
    world->write({pod}, 8080);
    STRCMP_EQUAL_TEXT("whole", world->as_client([] { return pour(node1); }).c_str(), pod);
  }
}

TEST(NodePort, thousands_of_connections_in_a_row_find_a_port_each) {
  if (!world) return;
  world->write({"10.88.1.2", "10.88.2.2"}, 8080);
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("pod1 pod2",
                 world->as_client([&] { return who_answers(transport, node1, 3'000); }).c_str());
}

TEST(NodePort, a_closed_port_of_the_backend_refuses_the_client_by_icmp) {
  if (!world) return;
  for (const char* pod : {"10.88.1.2", "10.88.2.2"}) {
    world->write({pod}, 9'999);
    for (const auto transport : {Transport::Tcp, Transport::Udp})
      STRCMP_EQUAL_TEXT("refused", world->as_client([&] { return ask(transport, node1); }).c_str(),
                        pod);
  }
}

TEST(NodePort, a_narrow_link_behind_the_node_tells_the_client_its_mtu) {
  if (!world) return;
  for (int i : {1, 2}) {
    const std::string node = fmt::format("node{}", i);
    world->sandbox.ip(node, "link set pod mtu 1300\n");
    world->write({fmt::format("10.88.{}.2", i)}, 8080);
    STRCMP_EQUAL_TEXT("1300", world->as_client([] { return path_mtu(node1, 1'400); }).c_str(),
                      node.c_str());
    world->sandbox.ip(node, "link set pod mtu 1500\n");
    world->sandbox.ip("client", "route flush cache\n");
  }
}

TEST(NodePort, without_endpoints_the_node_refuses) {
  if (!world) return;
  world->write({}, 8080);
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("refused", world->as_client([&] { return ask(transport, node1); }).c_str());
}

TEST(NodePort, policy_local_without_an_endpoint_here_drops) {
  if (!world) return;
  world->write({}, 8080, {.flags = LB_NONE_LOCAL});
  const auto before = world->nodes[0]->counter(LB_DROPPED_NONE_LOCAL);
  STRCMP_EQUAL("timeout", world->as_client([] { return ask(Transport::Udp, node1, 200); }).c_str());
  CHECK(world->nodes[0]->counter(LB_DROPPED_NONE_LOCAL) > before);
}

TEST(NodePort, affinity_goes_by_the_clients_address) {
  if (!world) return;
  world->write({"10.88.1.2", "10.88.2.2"}, 8080, {.affinity_timeout_s = 60});
  const auto first = world->as_client([] { return who_answers(Transport::Tcp, node1, 20); });
  LONGS_EQUAL(4, first.size());
}

TEST(NodePort, no_packet_for_a_service_address_leaves_the_node) {
  if (!world) return;
  const auto before = world->nodes[0]->counter(LB_DROPPED_SERVICE_RANGE);
  world->sandbox.ip("node1", "route add 10.96.0.0/16 via 10.89.0.200\n");
  STRCMP_EQUAL("timeout", world->sandbox
                              .inside("node1",
                                      [] {
                                        return ask(Transport::Udp, {"10.96.0.10", 80}, 200);
                                      })
                              .c_str());
  world->sandbox.ip("node1", "route del 10.96.0.0/16\n");
  CHECK(world->nodes[0]->counter(LB_DROPPED_SERVICE_RANGE) > before);
}

TEST(NodePort, other_traffic_of_the_uplink_passes_as_it_is) {
  if (!world) return;
  STRCMP_EQUAL("node1 saw 10.89.0.200",
               world->as_client([] {
                      return ask(Transport::Tcp, {"10.89.0.11", 8080});
                    })
                   .c_str());
  STRCMP_EQUAL(
      "pod2 saw 10.88.1.2",
      world->sandbox.as_client("pod1", "",
                               [] {
                                 return ask(Transport::Udp, {"10.88.2.2", 8080});
                               })
          .c_str());
  STRCMP_EQUAL("refused", world->as_client([] {
                                 return ask(Transport::Tcp, {"10.89.0.11", 30081});
                               })
                              .c_str());
}

// Services as sockets meet them: the programs at connect, sendmsg, recvmsg, getpeername and bind,
// with real sockets in namespaces and a cgroup of their own.
#include <fmt/format.h>

#include "tests/bpf/node.h"
#include "tests/bpf/pod_world.h"
#include "tests/bpf/sandbox.h"
#include "tests/bpf/sockets.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

struct World : PodWorld {
  std::optional<TestNode> node{std::in_place, sandbox, "node", settings()};
};

const std::vector<std::string> pod_addresses = {"10.88.1.2", "10.88.2.2", "10.88.3.2"};
const Target web{"10.96.0.10", 80};
const Target mapped_web{"::ffff:10.96.0.10", 80};

RowChanges web_rows(const std::vector<Backend>& backends, std::uint32_t affinity_timeout_s = 0) {
  const ServiceRow row{.affinity_timeout_s = affinity_timeout_s, .backends = backends};
  return {{front("10.96.0.10", 80), row}, {front("10.96.0.10", 80, IPPROTO_UDP), row}};
}

}  // namespace

// One world for the group: it takes 0.2 s to make. Each test brings its own rows.
TEST_GROUP(Sockets) {
  static inline std::optional<World> world;

  void setup() override {
    if (!cannot_test_programs() && !world) world.emplace();
  }
  void teardown() override {
    if (!world) return;
    world->node->clear();
    world->node->erase_rows<lb_affinity_key>("lb_affinities");
  }
};

TEST(Sockets, tcp_and_udp_reach_each_backend_of_a_service) {
  if (!world) return;
  world->node->write(web_rows(backends_at(pod_addresses, 8080)));
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("pod1 pod2 pod3",
                 world->as_client([&] { return who_answers(transport, web, 60); }).c_str());
}

TEST(Sockets, an_ipv6_socket_reaches_it_by_its_mapped_address) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  for (const auto transport : {Transport::Tcp, Transport::Udp})
    STRCMP_EQUAL("pod1 saw 10.88.9.2",
                 world->as_client([&] { return ask(transport, mapped_web); }).c_str());
  STRCMP_EQUAL("pod1 saw 10.88.9.2 from ::ffff:10.96.0.10:80",
               world->as_client([] { return ask_unconnected(mapped_web); }).c_str());
}

TEST(Sockets, the_peer_is_the_service_as_the_application_asked) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  for (const auto transport : {Transport::Tcp, Transport::Udp}) {
    STRCMP_EQUAL("10.96.0.10:80",
                 world->as_client([&] { return peer_after_connect(transport, web); }).c_str());
    STRCMP_EQUAL(
        "::ffff:10.96.0.10:80",
        world->as_client([&] { return peer_after_connect(transport, mapped_web); }).c_str());
  }
  STRCMP_EQUAL("pod1 saw 10.88.9.2 from 10.96.0.10:80",
               world->as_client([] { return ask_unconnected(web); }).c_str());
}

TEST(Sockets, a_backend_reached_by_its_own_address_is_shown_as_itself) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  const Target pod{"10.88.1.2", 8080};
  STRCMP_EQUAL("10.88.1.2:8080",
               world->as_client([&] { return peer_after_connect(Transport::Tcp, pod); }).c_str());
  STRCMP_EQUAL("pod1 saw 10.88.9.2 from 10.88.1.2:8080",
               world->as_client([&] { return ask_unconnected(pod); }).c_str());
}

TEST(Sockets, a_service_without_endpoints_refuses_at_once) {
  if (!world) return;
  world->node->write(web_rows({}));
  const char* refused = world->node->programs().features().set_retval ? "refused" : "not permitted";
  for (const auto& target : {web, mapped_web}) {
    for (const auto transport : {Transport::Tcp, Transport::Udp})
      STRCMP_EQUAL(refused, world->as_client([&] { return ask(transport, target); }).c_str());
    STRCMP_EQUAL(refused, world->as_client([&] { return ask_unconnected(target); }).c_str());
  }
}

TEST(Sockets, what_the_service_range_has_no_service_for_refuses_at_once) {
  if (!world) return;
  world->node->write(web_rows(backends_at(pod_addresses, 8080)));
  const char* refused = world->node->programs().features().set_retval ? "refused" : "not permitted";
  for (const Target& target :
       {Target{"10.96.0.10", 81}, Target{"10.96.77.7", 80}, Target{"::ffff:10.96.0.10", 81}})
    STRCMP_EQUAL(refused, world->as_client([&] { return ask(Transport::Tcp, target); }).c_str());
  STRCMP_EQUAL(refused, world->as_client([&] {
                               return ask_unconnected({"10.96.77.7", 80});
                             })
                            .c_str());
}

TEST(Sockets, affinity_keeps_a_client_at_its_backend_and_other_clients_apart) {
  if (!world) return;
  world->node->write(web_rows(backends_at(pod_addresses, 8080), 60));
  const auto first = world->as_client([] { return who_answers(Transport::Tcp, web, 30); });
  LONGS_EQUAL(4, first.size());  // one name
  STRCMP_EQUAL(first.c_str(),
               world->as_client([] { return who_answers(Transport::Tcp, mapped_web, 5); }).c_str());
  // Another network namespace is another client.
  world->as_client_in("pod1", [] { return ask(Transport::Tcp, web); });
  std::set<std::uint64_t> clients;
  world->node->change_rows<lb_affinity_key, lb_affinity>(
      "lb_affinities", [&](auto& key, auto&) { clients.insert(key.client); });
  LONGS_EQUAL(2, clients.size());
}

TEST(Sockets, affinity_ends_with_its_backend_and_lets_the_others_stay) {
  if (!world) return;
  world->node->write(web_rows(backends_at(pod_addresses, 8080), 60));
  const auto first = world->as_client([] { return who_answers(Transport::Tcp, web, 5); });
  std::vector<std::string> left;
  for (int i = 1; i <= World::pods; ++i)
    if (fmt::format("pod{}", i) != first) left.push_back(fmt::format("10.88.{}.2", i));
  world->node->write(
      web_rows(backends_at({left[0], fmt::format("10.88.{}.2", first.back())}, 8080), 60));
  STRCMP_EQUAL(first.c_str(),
               world->as_client([] { return who_answers(Transport::Tcp, web, 10); }).c_str());
  world->node->write(web_rows(backends_at(left, 8080), 60));
  const auto second = world->as_client([] { return who_answers(Transport::Tcp, web, 10); });
  CHECK(second != first);
  LONGS_EQUAL(4, second.size());
}

// Goal: after the timeout a client is balanced anew. Method: its entries are made older than that,
// 20 times; that the same of three backends is drawn each time has a chance of 1 in 3¹⁹.
TEST(Sockets, affinity_ends_with_its_timeout) {
  if (!world) return;
  world->node->write(web_rows(backends_at(pod_addresses, 8080), 60));
  std::set<std::string> answers;
  for (int i = 0; i < 20; ++i) {
    answers.insert(world->as_client([] { return ask(Transport::Tcp, web); }));
    world->node->change_rows<lb_affinity_key, lb_affinity>(
        "lb_affinities", [](auto&, auto& value) { value.used_at_ns -= 61'000'000'000; });
  }
  CHECK(answers.size() > 1);
}

TEST(Sockets, an_unconnected_socket_keeps_its_backend_however_the_list_grows) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2", "10.88.2.2"}, 8080)));
  const auto grow = [] { world->node->write(web_rows(backends_at(pod_addresses, 8080))); };
  const auto names = world->sandbox.meanwhile(
      "client", world->sandbox.cgroup(),
      [](const std::function<bool()>& goes_on) {
        std::set<std::string> each;  // what each of some sockets saw in all its datagrams
        for (const auto& seen : ask_by_sockets(web, 20, goes_on)) each.insert(seen);
        return fmt::format("{}", fmt::join(each, " "));
      },
      grow);
  STRCMP_EQUAL("pod1 pod2", names.c_str());  // never two names of one socket, and no pod3
  STRCMP_EQUAL("3", world
                        ->as_client([] {
                          std::set<std::string> seen;
                          for (int i = 0; i < 60; ++i)
                            seen.insert(ask_unconnected(web).substr(0, 4));
                          return std::to_string(seen.size());
                        })
                        .c_str());
}

TEST(Sockets, an_unconnected_socket_leaves_a_backend_that_is_gone) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  const auto replace = [] { world->node->write(web_rows(backends_at({"10.88.2.2"}, 8080))); };
  const auto names = world->sandbox.meanwhile(
      "client", world->sandbox.cgroup(),
      [](const std::function<bool()>& goes_on) { return ask_by_sockets(web, 1, goes_on)[0]; },
      replace);
  STRCMP_EQUAL("pod1,pod2", names.c_str());
}

TEST(Sockets, a_pod_reaches_itself_through_its_service) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  STRCMP_EQUAL("pod1 saw 10.88.1.2",
               world->as_client_in("pod1", [] { return ask(Transport::Tcp, web); }).c_str());
}

TEST(Sockets, a_node_port_answers_at_the_nodes_addresses_and_for_the_node_at_localhost) {
  if (!world) return;
  const ServiceRow row{.backends = backends_at({"10.88.1.2"}, 8080)};
  world->node->write({{front("", 30080), row}, {front("", 30080, IPPROTO_UDP), row}});
  for (const auto transport : {Transport::Tcp, Transport::Udp}) {
    STRCMP_EQUAL("pod1 saw 10.88.9.2",
                 world->as_client([&] {
                        return ask(transport, {"10.88.9.1", 30080});
                      })
                     .c_str());
    STRCMP_EQUAL("pod1 saw 10.88.1.1",
                 world->as_client_in("node",
                                     [&] {
                                       return ask(transport, {"127.0.0.1", 30080});
                                     })
                     .c_str());
  }
  STRCMP_EQUAL(
      "10.88.9.1:30080",
      world->as_client([] {
             return peer_after_connect(Transport::Tcp, {"10.88.9.1", 30080});
           })
          .c_str());
  // A pod's loopback is its own, and so is every address that is not the node's.
  STRCMP_EQUAL("refused", world->as_client([] {
                                 return ask(Transport::Tcp, {"127.0.0.1", 30080});
                               })
                              .c_str());
  STRCMP_EQUAL("refused", world->as_client([] {
                                 return ask(Transport::Tcp, {"10.88.2.2", 30080});
                               })
                              .c_str());
}

TEST(Sockets, nobody_on_the_node_binds_a_node_port) {
  if (!world) return;
  world->node->write({{front("", 30080, IPPROTO_TCP, LB_OUTSIDE), ServiceRow{}}});
  const char* taken = world->node->programs().features().set_retval ? "in use" : "not permitted";
  struct Case {
    const char* net_namespace;
    Transport transport;
    Target target;
    const char* result;
  };
  const Case cases[] = {{"node", Transport::Tcp, {"0.0.0.0", 30080}, taken},
                        {"node", Transport::Tcp, {"127.0.0.1", 30080}, taken},
                        {"node", Transport::Tcp, {"::", 30080}, taken},
                        {"node", Transport::Udp, {"0.0.0.0", 30080}, "bound"},
                        {"node", Transport::Tcp, {"0.0.0.0", 30081}, "bound"},
                        {"node", Transport::Tcp, {"0.0.0.0", 80}, "bound"},
                        {"pod1", Transport::Tcp, {"0.0.0.0", 30080}, "bound"}};
  for (const auto& c : cases)
    STRCMP_EQUAL_TEXT(
        c.result,
        world->as_client_in(c.net_namespace, [&] { return bind_to(c.transport, c.target); })
            .c_str(),
        fmt::format("{} {}", c.net_namespace, c.target.port).c_str());
}

TEST(Sockets, sockets_outside_of_the_cgroup_are_left_alone) {
  if (!world) return;
  world->node->write(web_rows(backends_at({"10.88.1.2"}, 8080)));
  // This process is in no cgroup of the sandbox. The node has no route to the address, so the
  // kernel says so at once.
  const auto answer = world->sandbox.inside("node", [] {
    return ask(Transport::Tcp, {"10.96.0.10", 80});
  });
  STRCMP_EQUAL("Network is unreachable", answer.c_str());
}

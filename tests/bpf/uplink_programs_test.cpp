// Each branch of the tc programs by BPF_PROG_TEST_RUN: packet in → verdict, packet out, rows.
#include <fmt/format.h>
#include <linux/pkt_cls.h>

#include "tests/bpf/node.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/sandbox.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

// This node is 10.89.0.11, its pod 10.88.1.2, another node's pod 10.88.2.2, the client 10.89.0.200.
const std::string client = "10.89.0.200:1000";
const std::string front_end = "10.89.0.11:30080";
const std::string local_pod = "10.88.1.2:8080";
const std::string remote_pod = "10.88.2.2:8080";

DatapathSettings settings_of(Sandbox& sandbox, PortRange nat_ports) {
  return {.bpffs = sandbox.make_bpffs("node"),
          .cgroup = sandbox.cgroup(),
          .uplink = 1,
          .node_addresses_be = {*parse_ipv4("10.89.0.11")},
          .service_range = *parse_ipv4_range("10.96.0.0/16"),
          .nat_ports = nat_ports,
          .sizes = {.flows = 1'024}};
}

struct World {
  explicit World(PortRange nat_ports) {
    sandbox.ip("", "link set lo up\nnetns add node\n");
    sandbox.ip("node", "link set lo up\n");
    node.emplace(sandbox, "node", settings_of(sandbox, nat_ports), TestNode::Attach::Nothing);
  }
  Sandbox sandbox;
  std::optional<TestNode> node;
};

// Programs are loaded once for the group, and once more where a test needs more NAT ports: with
// one, packets can be told in words.
struct Fixture : public Utest {
  static inline std::optional<World> one_port, many_ports;
  World* world = nullptr;

  void setup() override {
    if (cannot_test_programs()) return;
    if (!one_port) one_port.emplace(PortRange{20'000, 20'000});
    world = &*one_port;
    start();
  }
  // Nothing in the maps, nothing counted.
  void start() {
    node().clear();
    node().erase_rows<lb_flow_key>("lb_flows");
    node().erase_rows<std::uint32_t>("lb_pods");
    const Fd clock = node().map("lb_flow_clock");
    for (lb_flow_key key; ::bpf_map_lookup_and_delete_elem(clock.get(), nullptr, &key) == 0;) {
    }
    const std::vector<std::uint64_t> none(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
    for (std::uint32_t i = 0; i < LB_COUNTER_COUNT; ++i)
      ::bpf_map_update_elem(node().programs().counters_map(), &i, none.data(), BPF_ANY);
  }
  TestNode& node() { return *world->node; }

  void serve(const std::vector<std::string>& addresses, bool local, std::uint32_t flags = 0,
             int port = 30080) {
    const ServiceRow row{.flags = flags, .backends = backends_at(addresses, 8080, local)};
    node().write({{front("", port, IPPROTO_TCP, LB_OUTSIDE), row},
                  {front("", port, IPPROTO_UDP, LB_OUTSIDE), row}});
  }

  // "next: PACKET", "drop", "redirect: PACKET".
  std::string run(const char* program, const Bytes& in) {
    Bytes out(in.size() + 256);
    DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.data(), .data_out = out.data(),
                        .data_size_in = static_cast<std::uint32_t>(in.size()),
                        .data_size_out = static_cast<std::uint32_t>(out.size()));
    const int error = ::bpf_prog_test_run_opts(node().programs().fd(program), &options);
    if (error == -EINVAL && in.size() < 34) return "next: as it was";  // newer kernels run no such
    LONGS_EQUAL(0, error);
    out.resize(options.data_size_out);
    const auto verdict = static_cast<int>(options.retval);
    if (verdict == TC_ACT_SHOT) return "drop";
    const std::string packet = out == in ? "as it was" : describe(out);
    return (verdict == TC_ACT_UNSPEC ? "next: " : "redirect: ") + packet;
  }
  std::string in(const Bytes& packet) { return run("nodeport_ingress", packet); }
  std::string out(const Bytes& packet) { return run("nodeport_egress", packet); }
  std::string in(const FlowPacket& packet) { return in(frame(packet)); }
  std::string out(const FlowPacket& packet) { return out(frame(packet)); }

  std::size_t flows() {
    std::size_t count = 0;
    node().change_rows<lb_flow_key, lb_flow>("lb_flows", [&](auto&, auto&) { ++count; });
    return count;
  }
  void age_flows(std::uint64_t seconds) {
    node().change_rows<lb_flow_key, lb_flow>(
        "lb_flows", [&](auto&, auto& flow) { flow.used_at_ns -= seconds * 1'000'000'000; });
  }
  // Removes one entry, as eviction does.
  void evict(const std::string& a, const std::string& b) {
    const Fd fd = node().map("lb_flows");
    node().change_rows<lb_flow_key, lb_flow>("lb_flows", [&](auto& key, auto&) {
      const std::string low = fmt::format("{}:{}", ipv4_text(key.low_address), ntohs(key.low_port));
      const std::string high =
          fmt::format("{}:{}", ipv4_text(key.high_address), ntohs(key.high_port));
      if ((low == a && high == b) || (low == b && high == a)) evicted = key;
    });
    LONGS_EQUAL(0, ::bpf_map_delete_elem(fd.get(), &evicted));
  }
  lb_flow_key evicted{};
  std::uint32_t state_of_flows() {
    std::uint32_t state = 0;
    node().change_rows<lb_flow_key, lb_flow>("lb_flows",
                                             [&](auto&, auto& flow) { state |= flow.state; });
    return state;
  }
};

}  // namespace

TEST_GROUP_BASE(UplinkPrograms, Fixture){};

TEST(UplinkPrograms, what_is_not_for_a_node_port_passes_as_it_is) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  const Bytes whole = frame(FlowPacket{client, front_end});
  Bytes wrong_version = whole, short_header = whole;
  wrong_version[14] = 0x65;
  short_header[14] = 0x44;
  struct Case {
    const char* what;
    Bytes packet;
  };
  const Case cases[] = {
      {"ARP", arp_frame()},
      {"half an IPv4 header", {whole.begin(), whole.begin() + 24}},
      {"no room for ports", {whole.begin(), whole.begin() + 36}},
      {"no room for flags", {whole.begin(), whole.begin() + 40}},
      {"not version 4", wrong_version},
      {"a header of 16 bytes", short_header},
      {"another address", frame(FlowPacket{client, "10.89.0.12:30080"})},
      {"another port", frame(FlowPacket{client, "10.89.0.11:22"})},
      {"a node port nobody has", frame(FlowPacket{client, "10.89.0.11:30081"})},
      {"the middle of a connection", frame(FlowPacket{client, front_end, false, "A"})},
      {"an answer nobody asked for", frame(FlowPacket{remote_pod, "10.89.0.11:20000"})},
      {"a reset nobody waits for", frame(FlowPacket{client, front_end, false, "R"})},
  };
  for (const auto& c : cases) STRCMP_EQUAL_TEXT("next: as it was", in(c.packet).c_str(), c.what);
  LONGS_EQUAL(0, flows());
}

TEST(UplinkPrograms, a_backend_here_gets_the_packet_and_its_answer_gets_the_nodes_address) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  for (const bool udp : {false, true}) {
    const char* kind = udp ? "udp" : "tcp S";
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", client, local_pod, kind).c_str(),
                 in(FlowPacket{client, front_end, udp}).c_str());
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", front_end, client, kind).c_str(),
                 out(FlowPacket{local_pod, client, udp}).c_str());
  }
  LONGS_EQUAL(4, flows());
}

TEST(UplinkPrograms, a_backend_elsewhere_sees_the_node_and_its_answer_finds_the_client) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  const std::string nat = "10.89.0.11:20000";
  for (const bool udp : {false, true}) {
    const char* kind = udp ? "udp" : "tcp S";
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", client, remote_pod, kind).c_str(),
                 in(FlowPacket{client, front_end, udp}).c_str());
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", nat, remote_pod, kind).c_str(),
                 out(FlowPacket{client, remote_pod, udp}).c_str());
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", remote_pod, client, kind).c_str(),
                 in(FlowPacket{remote_pod, nat, udp}).c_str());
    STRCMP_EQUAL(fmt::format("next: {} > {} {}", front_end, client, kind).c_str(),
                 out(FlowPacket{remote_pod, client, udp}).c_str());
  }
  LONGS_EQUAL(6, flows());
}

TEST(UplinkPrograms, header_options_and_absent_checksums_are_no_hindrance) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  STRCMP_EQUAL(
      "next: 10.89.0.200:1000 > 10.88.1.2:8080 tcp S",
      in(FlowPacket{.source = client, .destination = front_end, .option_bytes = 8}).c_str());
  const FlowPacket unsummed{
      .source = client, .destination = front_end, .udp = true, .no_checksum = true};
  STRCMP_EQUAL("next: 10.89.0.200:1000 > 10.88.1.2:8080 udp", in(unsummed).c_str());
}

TEST(UplinkPrograms, fragments_are_passed_up_and_counted) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  STRCMP_EQUAL(
      "next: as it was",
      in(FlowPacket{.source = client, .destination = front_end, .udp = true, .fragment = true})
          .c_str());
  LONGS_EQUAL(1, node().counter(LB_PASSED_FRAGMENT));
}

TEST(UplinkPrograms, no_endpoints_is_the_nodes_to_refuse_and_none_local_is_dropped) {
  if (!world) return;
  serve({}, true);
  STRCMP_EQUAL("next: as it was", in(FlowPacket{client, front_end}).c_str());
  serve({}, true, LB_NONE_LOCAL);
  STRCMP_EQUAL("drop", in(FlowPacket{client, front_end}).c_str());
  LONGS_EQUAL(1, node().counter(LB_DROPPED_NONE_LOCAL));
}

TEST(UplinkPrograms, an_established_connection_stays_with_a_backend_that_left_the_list) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end, false, "S"});
  in(FlowPacket{client, front_end, false, "A"});
  LONGS_EQUAL(LB_FLOW_ESTABLISHED, state_of_flows());
  serve({"10.88.1.3"}, true);
  STRCMP_EQUAL("next: 10.89.0.200:1000 > 10.88.1.2:8080 tcp A",
               in(FlowPacket{client, front_end, false, "A"}).c_str());
}

TEST(UplinkPrograms, a_new_attempt_and_a_datagram_leave_a_backend_that_is_gone) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end, false, "S"});
  in(FlowPacket{client, front_end, true});
  STRCMP_EQUAL("next: 10.89.0.200:1000 > 10.88.1.2:8080 tcp S",
               in(FlowPacket{client, front_end, false, "S"}).c_str());
  serve({"10.88.1.3"}, true);
  STRCMP_EQUAL("next: 10.89.0.200:1000 > 10.88.1.3:8080 tcp S",
               in(FlowPacket{client, front_end, false, "S"}).c_str());
  STRCMP_EQUAL("next: 10.89.0.200:1000 > 10.88.1.3:8080 udp",
               in(FlowPacket{client, front_end, true}).c_str());
}

TEST(UplinkPrograms, after_a_close_or_reset_the_same_port_starts_anew) {
  if (!world) return;
  for (const char* flag : {"FA", "R"}) {
    serve({"10.88.1.2"}, true);
    in(FlowPacket{client, front_end, false, "S"});
    in(FlowPacket{client, front_end, false, flag});
    serve({"10.88.1.2", "10.88.1.3", "10.88.1.4", "10.88.1.5"}, true);
    // It would stay at .2 for ever: of 30 new connections one at least is drawn another backend.
    std::set<std::string> seen;
    for (int i = 0; i < 30; ++i) {
      seen.insert(in(FlowPacket{client, front_end, false, "S"}));
      in(FlowPacket{client, front_end, false, flag});
    }
    CHECK_TEXT(seen.size() > 1, flag);
    start();
  }
}

TEST(UplinkPrograms, both_ends_and_resets_are_noted_in_every_entry) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end, false, "S"});
  in(FlowPacket{client, front_end, false, "A"});
  in(FlowPacket{client, front_end, false, "FA"});
  out(FlowPacket{remote_pod, client, false, "FA"});
  out(FlowPacket{remote_pod, client, false, "R"});
  std::size_t entries = 0;
  node().change_rows<lb_flow_key, lb_flow>("lb_flows", [&](auto&, auto& flow) {
    ++entries;
    LONGS_EQUAL(LB_FLOW_ESTABLISHED | LB_FLOW_CLIENT_FIN | LB_FLOW_BACKEND_FIN | LB_FLOW_RESET,
                flow.state);
  });
  LONGS_EQUAL(3, entries);
}

TEST(UplinkPrograms, datagrams_are_balanced_anew_after_two_idle_minutes) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end, true});
  serve({"10.88.1.2", "10.88.1.3", "10.88.1.4", "10.88.1.5"}, true);
  std::set<std::string> seen;
  for (int i = 0; i < 30; ++i) {
    age_flows(119);
    seen.insert(in(FlowPacket{client, front_end, true}));
  }
  LONGS_EQUAL(1, seen.size());
  for (int i = 0; i < 30; ++i) {
    age_flows(121);
    seen.insert(in(FlowPacket{client, front_end, true}));
  }
  CHECK(seen.size() > 1);
}

TEST(UplinkPrograms, without_a_free_port_towards_a_backend_the_packet_is_dropped) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  STRCMP_CONTAINS("next", in(FlowPacket{"10.89.0.200:1000", front_end}).c_str());
  STRCMP_EQUAL("drop", in(FlowPacket{"10.89.0.200:1001", front_end}).c_str());
  LONGS_EQUAL(1, node().counter(LB_DROPPED_NO_NAT_PORT));
  LONGS_EQUAL(3, flows());
  // Its holder never got past its first packet: 30 s later another may have the port.
  age_flows(31);
  STRCMP_CONTAINS("next", in(FlowPacket{"10.89.0.200:1001", front_end}).c_str());
  LONGS_EQUAL(3, flows());
}

TEST(UplinkPrograms, a_port_is_free_ten_seconds_after_both_ends_closed) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end, false, "S"});
  in(FlowPacket{client, front_end, false, "A"});
  age_flows(3'600);
  STRCMP_EQUAL("drop", in(FlowPacket{"10.89.0.200:1001", front_end}).c_str());
  in(FlowPacket{client, front_end, false, "FA"});
  in(FlowPacket{remote_pod, "10.89.0.11:20000", false, "FA"});
  out(FlowPacket{remote_pod, client, false, "FA"});
  age_flows(9);
  STRCMP_EQUAL("drop", in(FlowPacket{"10.89.0.200:1001", front_end}).c_str());
  age_flows(2);
  STRCMP_CONTAINS("next", in(FlowPacket{"10.89.0.200:1001", front_end}).c_str());
}

TEST(UplinkPrograms, many_clients_of_one_backend_get_a_port_each) {
  if (!world) return;
  if (!many_ports) many_ports.emplace(PortRange{20'000, 20'099});
  world = &*many_ports;
  serve({"10.88.2.2"}, false);
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) {
    const std::string from = fmt::format("10.89.0.200:{}", 1'000 + i);
    in(FlowPacket{from, front_end});
    seen.insert(out(FlowPacket{from, remote_pod}));
  }
  LONGS_EQUAL(60, seen.size());
}

TEST(UplinkPrograms, one_client_port_reaches_one_backend_through_one_front_at_a_time) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  serve({"10.88.1.2"}, true, 0, 30081);
  in(FlowPacket{client, front_end, true});
  STRCMP_EQUAL("drop", in(FlowPacket{client, "10.89.0.11:30081", true}).c_str());
  LONGS_EQUAL(1, node().counter(LB_DROPPED_AMBIGUOUS));
  STRCMP_EQUAL("next: 10.89.0.11:30080 > 10.89.0.200:1000 udp",
               out(FlowPacket{local_pod, client, true}).c_str());
  age_flows(121);
  STRCMP_CONTAINS("next", in(FlowPacket{client, "10.89.0.11:30081", true}).c_str());
  STRCMP_EQUAL("next: 10.89.0.11:30081 > 10.89.0.200:1000 udp",
               out(FlowPacket{local_pod, client, true}).c_str());
}

TEST(UplinkPrograms, entries_that_were_evicted_come_back_with_the_next_packet) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end, true});
  evict(client, remote_pod);
  evict("10.89.0.11:20000", remote_pod);
  in(FlowPacket{client, front_end, true});
  STRCMP_EQUAL("next: 10.89.0.11:20000 > 10.88.2.2:8080 udp",
               out(FlowPacket{client, remote_pod, true}).c_str());
  LONGS_EQUAL(3, flows());
}

TEST(UplinkPrograms, who_lost_its_port_to_another_client_starts_anew) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end, true});
  evict("10.89.0.11:20000", remote_pod);
  in(FlowPacket{"10.89.0.200:1001", front_end, true});  // takes the only port
  STRCMP_EQUAL("drop", out(FlowPacket{client, remote_pod, true}).c_str());
  STRCMP_EQUAL("next: 10.89.0.11:20000 > 10.88.2.2:8080 udp",
               out(FlowPacket{"10.89.0.200:1001", remote_pod, true}).c_str());
  LONGS_EQUAL(3, flows());  // the other's alone
}

TEST(UplinkPrograms, new_flows_remove_those_that_are_over) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  for (int i = 0; i < 100; ++i)
    in(FlowPacket{fmt::format("10.89.0.200:{}", 1'000 + i), front_end, true});
  LONGS_EQUAL(200, flows());
  age_flows(121);
  for (int i = 0; i < 50; ++i)
    in(FlowPacket{fmt::format("10.89.0.200:{}", 3'000 + i), front_end, true});
  LONGS_EQUAL(100, flows());  // two old ones went for each new one
}

TEST(UplinkPrograms, the_hand_of_the_clock_leaves_alone_what_only_the_backend_keeps_alive) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end, true});
  age_flows(121);
  out(FlowPacket{local_pod, client, true});
  for (int i = 0; i < 10; ++i)
    in(FlowPacket{fmt::format("10.89.0.200:{}", 3'000 + i), front_end, true});
  LONGS_EQUAL(22, flows());
}

TEST(UplinkPrograms, an_error_about_a_packet_to_the_backend_reaches_the_client_as_one_to_the_node) {
  if (!world) return;
  for (const bool udp : {false, true}) {
    const char* kind = udp ? "udp" : "tcp";
    // Elsewhere: it comes in about what NAT sent, and goes out again.
    serve({"10.88.2.2"}, false);
    in(FlowPacket{client, front_end, udp});
    STRCMP_EQUAL(
        fmt::format("next: icmp 3 10.89.0.12 > 10.89.0.200 quoting {} > {} {}", client, remote_pod,
                    kind)
            .c_str(),
        in(frame(IcmpError{"10.89.0.12", "10.89.0.11", 3, {"10.89.0.11:20000", remote_pod, udp}}))
            .c_str());
    STRCMP_EQUAL(
        fmt::format("next: icmp 3 10.89.0.11 > 10.89.0.200 quoting {} > {} {}", client, front_end,
                    kind)
            .c_str(),
        out(frame(IcmpError{"10.89.0.12", "10.89.0.200", 3, {client, remote_pod, udp}})).c_str());
    start();
  }
}

TEST(UplinkPrograms, an_error_about_an_answer_reaches_the_backend_as_one_about_what_it_sent) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end});
  STRCMP_EQUAL("next: icmp 3 10.89.0.1 > 10.88.1.2 quoting 10.88.1.2:8080 > 10.89.0.200:1000 tcp",
               in(frame(IcmpError{"10.89.0.1", "10.89.0.11", 3, {front_end, client}})).c_str());
  start();
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end});
  STRCMP_EQUAL("next: icmp 11 10.89.0.1 > 10.88.2.2 quoting 10.88.2.2:8080 > 10.89.0.200:1000 tcp",
               in(frame(IcmpError{"10.89.0.1", "10.89.0.11", 11, {front_end, client}})).c_str());
  STRCMP_EQUAL("next: icmp 11 10.89.0.11 > 10.88.2.2 quoting 10.88.2.2:8080 > 10.89.0.11:20000 tcp",
               out(frame(IcmpError{"10.89.0.1", "10.88.2.2", 11, {remote_pod, client}})).c_str());
}

TEST(UplinkPrograms, errors_about_other_packets_pass_as_they_are) {
  if (!world) return;
  serve({"10.88.1.2"}, true);
  in(FlowPacket{client, front_end});
  const IcmpError ours{"10.89.0.1", "10.89.0.11", 3, {front_end, client}};
  Bytes cut = frame(ours);
  cut.resize(cut.size() - 6);
  IcmpError echo = ours, fragment = ours, other = ours, redirect = ours;
  echo.type = 8;
  fragment.quoted.fragment = true;
  other.quoted.source = "10.89.0.11:22";
  redirect.type = 5;  // about the node's own routes: its own business
  for (const auto& packet : {cut, frame(echo), frame(fragment), frame(other), frame(redirect)})
    STRCMP_EQUAL("next: as it was", in(packet).c_str());
  const IcmpError outwards{"10.89.0.11", "10.89.0.200", 3, {client, "10.89.0.11:22"}};
  STRCMP_EQUAL("next: as it was", out(frame(outwards)).c_str());
}

TEST(UplinkPrograms, the_nodes_redirects_about_backends_do_not_leave) {
  if (!world) return;
  serve({"10.88.2.2"}, false);
  in(FlowPacket{client, front_end});
  STRCMP_EQUAL("drop",
               out(frame(IcmpError{"10.89.0.11", "10.89.0.200", 5, {client, remote_pod}})).c_str());
  LONGS_EQUAL(1, node().counter(LB_DROPPED_REDIRECT));
  STRCMP_EQUAL(
      "next: as it was",
      out(frame(IcmpError{"10.89.0.11", "10.89.0.200", 5, {client, "10.88.3.3:80"}})).c_str());
}

TEST(UplinkPrograms, nothing_for_the_service_range_leaves) {
  if (!world) return;
  STRCMP_EQUAL("drop", out(FlowPacket{local_pod, "10.96.0.10:80"}).c_str());
  STRCMP_EQUAL("drop",
               out(frame(IcmpError{"10.88.1.2", "10.96.0.10", 8, {local_pod, client}})).c_str());
  LONGS_EQUAL(2, node().counter(LB_DROPPED_SERVICE_RANGE));
  STRCMP_EQUAL("next: as it was", out(FlowPacket{local_pod, "10.97.0.10:80"}).c_str());
}

TEST(UplinkPrograms, a_packet_for_a_pod_of_the_node_goes_straight_to_it) {
  if (!world) return;
  const Bytes packet = frame(FlowPacket{"10.88.1.9:1000", local_pod});
  STRCMP_EQUAL("next: as it was", run("pod_ingress", packet).c_str());
  const lb_pod pod{.ifindex = 1, .mac = {6, 5, 4, 3, 2, 1}, .reserved = 0};
  const auto address_be = *parse_ipv4("10.88.1.2");
  LONGS_EQUAL(0, ::bpf_map_update_elem(node().programs().pods_map(), &address_be, &pod, BPF_ANY));
  STRCMP_EQUAL("redirect: 10.88.1.9:1000 > 10.88.1.2:8080 tcp S",
               run("pod_ingress", packet).c_str());
  STRCMP_EQUAL("next: as it was", run("pod_ingress", arp_frame()).c_str());
}

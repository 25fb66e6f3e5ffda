// The whole of it over the kernel: objects in, connections through, whatever ends or changes above.
#include "proxy/datapath.h"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "api/kinds.h"
#include "base/log.h"
#include "tests/bpf/node.h"
#include "tests/bpf/pod_world.h"
#include "tests/sim_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

const Target web{"10.96.0.10", 80};

// Mean time of the program at connect() over 500 connections.
std::uint64_t connect4_ns(PodWorld& world) {
  const Fd link(world.sandbox.inside(
      "", [&] { return ::bpf_obj_get((world.bpffs + "/keelson/links/connect4").c_str()); }));
  bpf_link_info link_info{};
  std::uint32_t size = sizeof(link_info);
  LONGS_EQUAL(0, ::bpf_obj_get_info_by_fd(link.get(), &link_info, &size));
  const Fd program(::bpf_prog_get_fd_by_id(link_info.prog_id));
  const auto run = [&] {
    bpf_prog_info info{};
    size = sizeof(info);
    LONGS_EQUAL(0, ::bpf_obj_get_info_by_fd(program.get(), &info, &size));
    return std::pair(info.run_time_ns, info.run_cnt);
  };
  const auto [time_before, count_before] = run();
  STRCMP_EQUAL("pod1",
               world.as_client([] { return who_answers(Transport::Tcp, web, 500); }).c_str());
  const auto [time, count] = run();
  return count == count_before ? 0 : (time - time_before) / (count - count_before);
}
}  // namespace

TEST_GROUP(Datapath) {
  static inline std::optional<PodWorld> world;
  SimLoop loop;
  std::unique_ptr<Datapath> datapath;

  void setup() override {
    if (cannot_test_programs()) return;
    if (!world) world.emplace();
  }
  void teardown() override {
    datapath.reset();
    if (world) world->sandbox.inside("node", [] { return remove_datapath(world->bpffs, 0); });
  }
  void open() {
    open(world->settings());
  }
  void open(const DatapathSettings& settings) {
    auto opened =
        world->sandbox.inside("node", [&] { return Datapath::open(loop, settings, builtin); });
    CHECK_TEXT(opened.has_value(), opened ? "" : opened.error().message.c_str());
    datapath = std::move(*opened);
  }
  Rows builtin;
  void put_web(const std::vector<TestEndpoint>& endpoints) {
    datapath->services().put(
        make_object(kinds::service(), make_service("web", "10.96.0.10", {{"", 80}})));
    datapath->endpoint_slices().put(
        make_object(kinds::endpoint_slice(), make_slice("web-1", "web", {{"", 8080}}, endpoints)));
  }
  void listed(Revision revision) {
    world->sandbox.inside("node", [&] {
      datapath->services().advance(revision);
      datapath->endpoint_slices().advance(revision);
      loop.run_for(0s);
    });
  }
  std::string ask_web() {
    return world->as_client([] { return ask(Transport::Tcp, web); });
  }
  // A client connects all the time while change runs here: "0 failures".
  std::string under_load(const std::function<void()>& change) {
    return world->sandbox.meanwhile(
        "client", world->sandbox.cgroup(),
        [](const std::function<bool()>& goes_on) {
          int answers = 0, failures = 0;
          while (goes_on()) ++(ask(Transport::Tcp, web).contains(" saw ") ? answers : failures);
          return fmt::format("{} failures", failures) + (answers > 0 ? "" : ", but no answers");
        },
        change);
  }
};

TEST(Datapath, a_service_answers_when_both_kinds_are_listed_and_goes_on_when_the_process_ends) {
  if (!world) return;
  open();
  put_web({{"10.88.1.2"}});
  loop.run_for(0s);
  STRCMP_EQUAL("timeout", world->as_client([] { return ask(Transport::Udp, web, 100); }).c_str());
  listed(5);
  STRCMP_EQUAL("pod1 saw 10.88.9.2", ask_web().c_str());
  LONGS_EQUAL(5, datapath->programmed());
  CHECK(datapath->healthz().has_value());
  datapath.reset();
  STRCMP_EQUAL("pod1 saw 10.88.9.2", ask_web().c_str());
}

TEST(Datapath, the_next_process_takes_over_without_a_failed_connection) {
  if (!world) return;
  open();
  put_web({{"10.88.1.2"}, {"10.88.2.2"}});
  listed(5);
  STRCMP_EQUAL("0 failures", under_load([&] {
                               for (int i = 0; i < 5; ++i) {
                                 datapath.reset();
                                 open();
                                 put_web({{"10.88.1.2"}, {fmt::format("10.88.{}.2", 2 + i % 2)}});
                                 listed(6 + i);
                               }
                             }).c_str());
}

TEST(Datapath, maps_of_another_layout_are_filled_before_programs_use_them) {
  if (!world) return;
  open();
  put_web({{"10.88.1.2"}});
  listed(5);
  auto settings = world->settings();
  settings.sizes.services = 1'024;
  STRCMP_EQUAL("0 failures", under_load([&] {
                               datapath.reset();
                               open(settings);
                               ::usleep(20'000);  // the old programs serve meanwhile
                               put_web({{"10.88.2.2"}});
                               listed(6);
                             }).c_str());
  STRCMP_EQUAL("pod2 saw 10.88.9.2", ask_web().c_str());
  const auto folders = world->sandbox.inside("", [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(world->bpffs + "/keelson"))
      count += entry.path().filename().string().starts_with("maps-");
    return count;
  });
  LONGS_EQUAL(1, folders);
}

TEST(Datapath, a_cgroup_made_anew_gets_its_programs) {
  if (!world) return;
  auto settings = world->settings();
  settings.cgroup = world->sandbox.cgroup() + "/made-anew";
  ::mkdir(settings.cgroup.c_str(), 0755);
  open(settings);
  put_web({{"10.88.1.2"}});
  listed(5);
  ::rmdir(settings.cgroup.c_str());
  ::mkdir(settings.cgroup.c_str(), 0755);
  open(settings);
  put_web({{"10.88.1.2"}});
  listed(6);
  CHECK(datapath->healthz().has_value());
  STRCMP_EQUAL(
      "pod1 saw 10.88.9.2",
      world->sandbox.as_client("client", settings.cgroup, [] { return ask(Transport::Tcp, web); })
          .c_str());
  datapath.reset();
  ::rmdir(settings.cgroup.c_str());
}

TEST(Datapath, removing_it_takes_everything_out_of_force) {
  if (!world) return;
  open();
  put_web({{"10.88.1.2"}});
  listed(5);
  STRCMP_EQUAL("pod1 saw 10.88.9.2", ask_web().c_str());
  datapath.reset();
  CHECK(world->sandbox.inside("node", [] { return remove_datapath(world->bpffs, 0); }).has_value());
  STRCMP_EQUAL("timeout", world->as_client([] { return ask(Transport::Udp, web, 100); }).c_str());
}

TEST(Datapath, builtin_rows_answer_without_any_service) {
  if (!world) return;
  builtin = {{front("10.96.0.10", 80), {.backends = backends_at({"10.88.3.2"}, 8080)}}};
  open();
  listed(1);
  STRCMP_EQUAL("pod3 saw 10.88.9.2", ask_web().c_str());
}

// Goal: packets between pods pass the node's routing by. Method: the node forwards nothing, and yet
// the client reaches the pod both of whose ways are in the table.
TEST(Datapath, pods_of_the_node_are_reached_directly) {
  if (!world) return;
  open();
  world->sandbox.inside("node", [&] {
    for (const int number : {1, 9}) {
      const std::string name = number == 9 ? "client" : "pod1";
      PodLink pod{.address_be = *parse_ipv4(fmt::format("10.88.{}.2", number)),
                  .ifindex = ::if_nametoindex(fmt::format("v{}", number).c_str()),
                  .mac = {}};
      const auto mac = world->sandbox.inside(name, [] { return mac_of("eth0"); });
      std::ranges::copy(mac, pod.mac.begin());
      const auto added = datapath->add_pod(pod);
      CHECK_TEXT(added.has_value(), added ? "" : added.error().message.c_str());
    }
  });
  world->sandbox.sysctl("node", "ip_forward", "0");
  const Target pod1{"10.88.1.2", 8080}, pod2{"10.88.2.2", 8080};
  const auto reached = world->as_client([&] { return ask(Transport::Tcp, pod1); });
  const auto routed = world->as_client([&] { return ask(Transport::Udp, pod2, 100); });
  CHECK(datapath->remove_pod(*parse_ipv4("10.88.1.2")).has_value());
  const auto removed = world->as_client([&] { return ask(Transport::Udp, pod1, 100); });
  world->sandbox.sysctl("node", "ip_forward", "1");
  STRCMP_EQUAL("pod1 saw 10.88.9.2", reached.c_str());
  STRCMP_EQUAL("timeout", routed.c_str());
  STRCMP_EQUAL("timeout", removed.c_str());
}

TEST(Datapath, a_pod_without_its_interface_is_told) {
  if (!world) return;
  open();
  const auto added = world->sandbox.inside(
      "node", [&] { return datapath->add_pod({.address_be = 1, .ifindex = 9'999, .mac = {}}); });
  CHECK(!added);
  STRCMP_CONTAINS("interface 9999", added.error().message.c_str());
  CHECK(datapath->remove_pod(2).has_value());  // was never there
}

TEST(Datapath, says_what_is_wrong_with_its_settings) {
  if (!world) return;
  struct Case {
    const char* text;
    std::function<void(DatapathSettings&)> spoil;
  };
  const Case cases[] = {
      {"is not a bpf file system: mount -t bpf", [](auto& s) { s.bpffs = "/tmp"; }},
      {"look at /nowhere: No such file", [](auto& s) { s.bpffs = "/nowhere"; }},
      {"a node has at most 8 addresses, got 9", [](auto& s) { s.node_addresses_be.resize(9); }},
      {"port range 5-4 is empty",
       [](auto& s) {
         s.node_ports = {5, 4};
       }},
      {"overlap: move one of them",
       [](auto& s) {
         s.nat_ports = {29'000, 31'000};
       }},
      {"load the datapath's programs: Invalid argument", [](auto& s) { s.sizes.services = 0; }},
      {"need the node's address",
       [](auto& s) {
         s.uplink = 1;
         s.node_addresses_be.clear();
       }},
  };
  for (const auto& c : cases) {
    auto settings = world->settings();
    c.spoil(settings);
    const auto opened =
        world->sandbox.inside("node", [&] { return Datapath::open(loop, settings); });
    CHECK_TEXT(!opened, c.text);
    STRCMP_CONTAINS(c.text, opened.error().message.c_str());
  }
}

TEST(Datapath, what_cannot_be_attached_is_told_by_its_health) {
  if (!world) return;
  struct Case {
    const char* text;
    std::function<void(DatapathSettings&)> spoil;
  };
  const Case cases[] = {
      {"is not in a cgroup2 file system", [](auto& s) { s.cgroup = "/tmp"; }},
      {"open cgroup /nowhere: No such file", [](auto& s) { s.cgroup = "/nowhere"; }},
      {"is no Ethernet interface", [](auto& s) { s.uplink = 1; }},
      {"find interface 9999", [](auto& s) { s.uplink = 9'999; }},
  };
  set_log_level(LogLevel::Error);
  for (const auto& c : cases) {
    auto settings = world->settings();
    c.spoil(settings);
    open(settings);
    listed(5);
    CHECK_TEXT(!datapath->healthz(), c.text);
    STRCMP_CONTAINS(c.text, datapath->healthz().error().message.c_str());
    LONGS_EQUAL(0, datapath->programmed());
    datapath.reset();
  }
}

TEST(Datapath, names_the_modes_in_which_something_is_missing) {
  if (!world) return;
  open();
  std::set<std::string> names;
  for (const auto& mode : datapath->degraded()) names.insert(mode.name);
  CHECK(names.contains("no-uplink"));
  LONGS_EQUAL(datapath->features().set_retval ? 0 : 1, names.contains("refuse-with-eperm"));
}

TEST(Datapath, ports_of_node_ports_and_nat_are_reserved_in_the_nodes_namespace) {
  if (!world) return;
  world->sandbox.sysctl("node", "ip_local_reserved_ports", "7000");
  open();
  const auto reserved = world->sandbox.inside("node", [] {
    std::ifstream file("/proc/sys/net/ipv4/ip_local_reserved_ports");
    std::string list;
    std::getline(file, list);
    return list;
  });
  STRCMP_EQUAL("7000,10000-32767", reserved.c_str());
}

TEST(Datapath, counts_what_it_refuses) {
  if (!world) return;
  open();
  put_web({});
  listed(5);
  ask_web();
  for (const auto& [name, count] : datapath->counters())
    LONGS_EQUAL_TEXT(name == "refused_no_endpoints" ? 1 : 0, count, std::string(name).c_str());
}

// Goal: a connection's program runs no longer among ten thousand Services than among one. Method:
// the kernel's own account of connect4, over the same connections before and after.
TEST(Datapath, ten_thousand_services_change_nothing_for_one) {
  if (!world) return;
  const Fd account(::bpf_enable_stats(BPF_STATS_RUN_TIME));
  open();
  put_web({{"10.88.1.2"}});
  listed(5);
  const auto before_ns = connect4_ns(*world);
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = fmt::format("s{}", i);
    const std::string address = fmt::format("10.96.{}.{}", 1 + i / 250, 1 + i % 250);
    datapath->services().put(
        make_object(kinds::service(), make_service(name, address, {{"", 80}})));
    datapath->endpoint_slices().put(make_object(
        kinds::endpoint_slice(),
        make_slice(name, name, {{"", 8080}}, {{"10.88.1.2"}, {"10.88.2.2"}, {"10.88.3.2"}})));
  }
  listed(6);
  LONGS_EQUAL(6, datapath->programmed());
  const auto after_ns = connect4_ns(*world);
  std::cout << fmt::format("connect4: {} ns with one service, {} ns with 10,000\n", before_ns,
                           after_ns);
  CHECK(before_ns > 0);
  CHECK(after_ns < 3 * before_ns);
}

// From what reflectors deliver to rows in the maps, in virtual time.
#include "proxy/service_sync.h"

#include <fmt/format.h>

#include "api/kinds.h"
#include "tests/proxy/objects.h"
#include "tests/sim_loop.h"

// After what uses placement new: it includes CppUTest.
#include "tests/proxy/checked_maps.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

TEST_GROUP(ServiceSync) {
  SimLoop loop;
  CheckedMaps maps;
  int forced = 0;
  int failures_of_force = 0;
  std::optional<ServiceSync> sync;

  void setup() override {
    start();
  }
  void start(Rows builtin = {}) {
    sync.emplace(loop, maps,
                 ServiceSync::Settings{.node_name = "node-1",
                                       .builtin = std::move(builtin),
                                       .put_in_force = [this]() -> Result<> {
                                         ++forced;
                                         if (failures_of_force-- > 0)
                                           return fail(Reason::InternalError, "no cgroup");
                                         return {};
                                       }});
    CHECK(sync->read_back().has_value());
  }
  void put(const core::Service& service) {
    sync->services().put(make_object(kinds::service(), service));
  }
  void put(const discovery::EndpointSlice& slice) {
    sync->endpoint_slices().put(make_object(kinds::endpoint_slice(), slice));
  }
  void web(int number, const std::vector<TestEndpoint>& endpoints) {
    const std::string name = fmt::format("web{}", number);
    put(make_service(name, fmt::format("10.96.0.{}", number), {{"", 80}}));
    put(make_slice(name + "-1", name, {{"", 8080}}, endpoints));
  }
  void listed(Revision revision) {
    sync->services().advance(revision);
    sync->endpoint_slices().advance(revision);
    settle();
  }
  // Timers that are due now fire as well.
  void settle() {
    loop.run_for(0s);
  }
  std::size_t backends(int number) {
    return maps.reachable()[front(fmt::format("10.96.0.{}", number), 80)].size();
  }
};

TEST(ServiceSync, nothing_is_written_or_in_force_before_both_kinds_are_listed) {
  web(1, {{"10.88.0.2"}});
  settle();
  sync->services().advance(7);
  settle();
  LONGS_EQUAL(0, maps.writes);
  LONGS_EQUAL(0, forced);
  CHECK(!sync->healthz());
  sync->endpoint_slices().advance(5);
  settle();
  LONGS_EQUAL(1, backends(1));
  LONGS_EQUAL(1, forced);
  LONGS_EQUAL(5, sync->programmed());
  CHECK(sync->healthz().has_value());
}

TEST(ServiceSync, the_next_process_writes_only_what_changed_meanwhile) {
  web(1, {{"10.88.0.2"}, {"10.88.0.3"}});
  web(2, {{"10.88.0.2"}});
  listed(5);
  const int writes = maps.writes;

  start();
  web(1, {{"10.88.0.2"}, {"10.88.0.3"}});
  settle();
  LONGS_EQUAL(writes, maps.writes);
  listed(9);
  LONGS_EQUAL(2, backends(1));
  LONGS_EQUAL(1, maps.services.size());
  LONGS_EQUAL(writes + 3, maps.writes);  // web2: service, slot, backend
}

TEST(ServiceSync, changes_of_one_turn_are_written_together) {
  listed(1);
  web(1, {{"10.88.0.2"}});
  put(make_slice("web1-1", "web1", {{"", 8080}}, {{"10.88.0.3"}}));
  sync->endpoint_slices().advance(3);
  sync->services().advance(3);
  LONGS_EQUAL(0, maps.writes);
  settle();
  LONGS_EQUAL(3, maps.writes);
  LONGS_EQUAL(3, sync->programmed());
}

TEST(ServiceSync, what_goes_is_removed_by_its_key) {
  web(1, {{"10.88.0.2"}});
  listed(1);
  CHECK(sync->services().keys() == std::vector<std::string>{"default/web1"});
  CHECK(sync->endpoint_slices().keys() == std::vector<std::string>{"default/web1-1"});
  sync->endpoint_slices().erase("default/web1-1", 2, nullptr);
  settle();
  LONGS_EQUAL(0, backends(1));
  LONGS_EQUAL(1, maps.services.size());
  sync->services().erase("default/web1", 3, nullptr);
  settle();
  LONGS_EQUAL(0, maps.services.size());
}

TEST(ServiceSync, a_full_map_is_told_and_tried_again_while_others_go_on) {
  maps.sizes.backends = 2;
  web(1, {{"10.88.0.2"}, {"10.88.0.3"}, {"10.88.0.4"}});
  web(2, {{"10.88.0.2"}});
  listed(5);
  LONGS_EQUAL(1, backends(2));
  CHECK(!sync->healthz());
  STRCMP_CONTAINS("10.96.0.1:80/TCP", sync->healthz().error().message.c_str());
  LONGS_EQUAL(0, sync->programmed());
  LONGS_EQUAL(0, forced);

  web(3, {{"10.88.0.2"}});  // another change is not held up by the one that fails
  settle();
  LONGS_EQUAL(1, backends(3));
  CHECK(!sync->healthz());

  maps.sizes.backends = 5;
  loop.run_for(2s);
  LONGS_EQUAL(3, backends(1));
  CHECK(sync->healthz().has_value());
  LONGS_EQUAL(5, sync->programmed());
  LONGS_EQUAL(1, forced);
}

TEST(ServiceSync, a_service_that_failed_and_went_is_not_tried_again) {
  maps.sizes.backends = 1;
  web(1, {{"10.88.0.2"}, {"10.88.0.3"}});
  listed(5);
  CHECK(!sync->healthz());
  sync->services().erase("default/web1", 6, nullptr);
  settle();
  CHECK(sync->healthz().has_value());
  const int writes = maps.writes;
  loop.run_for(100s);
  LONGS_EQUAL(writes, maps.writes);
}

TEST(ServiceSync, programs_that_cannot_be_put_in_force_are_tried_again) {
  failures_of_force = 2;
  listed(5);
  CHECK(!sync->healthz());
  LONGS_EQUAL(0, sync->programmed());
  loop.run_for(10s);
  LONGS_EQUAL(3, forced);
  CHECK(sync->healthz().has_value());
  LONGS_EQUAL(5, sync->programmed());
}

TEST(ServiceSync, builtin_rows_are_there_though_the_api_has_no_service) {
  const auto dns = front("10.96.0.10", 53, IPPROTO_UDP);
  start(
      {{dns, {.backends = {{.address_be = *parse_ipv4("169.254.20.10"), .port_be = htons(53)}}}}});
  listed(1);
  LONGS_EQUAL(1, maps.reachable().at(dns).size());
}

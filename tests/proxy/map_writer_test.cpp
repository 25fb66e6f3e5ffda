// The writer against maps that look at every single write: no program that reads in between may
// find a slot without its backend, or fewer backends than it should.
#include "proxy/map_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iostream>
#include <random>

#include "base/random.h"
#include "tests/proxy/objects.h"

// After what uses placement new: it includes CppUTest.
#include "tests/proxy/checked_maps.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

std::vector<Backend> backends_of(const std::vector<int>& numbers) {
  std::vector<Backend> backends;
  for (const int number : numbers)
    backends.push_back({.address_be = htonl(0x0a580000U + static_cast<std::uint32_t>(number)),
                        .port_be = htons(8080),
                        .local = number % 2 == 0});
  std::ranges::sort(backends);
  return backends;
}

ServiceRow row(const std::vector<int>& numbers) {
  return {.backends = backends_of(numbers)};
}

}  // namespace

TEST_GROUP(MapWriter) {
  CheckedMaps maps;
  MapWriter writer{maps};
  const lb_service_key web = front("10.96.0.10", 80);

  int writes_for(const RowChanges& changes) {
    const int before = maps.writes;
    CHECK(!writer.write(changes).error);
    return maps.writes - before;
  }
};

TEST(MapWriter, a_service_of_three_backends_takes_seven_writes_and_none_when_nothing_changed) {
  LONGS_EQUAL(7, writes_for({{web, row({1, 2, 3})}}));
  LONGS_EQUAL(0, writes_for({{web, row({1, 2, 3})}}));
  CHECK(maps.reachable().at(web) == set_of(backends_of({1, 2, 3})));
}

TEST(MapWriter, one_backend_more_or_less_touches_no_other) {
  writes_for({{web, row({1, 2, 3, 4, 5, 6, 7, 8, 9})}});
  LONGS_EQUAL(3,
              writes_for({{web, row({1, 2, 3, 4, 5, 6, 7, 8, 9, 10})}}));   // backend, slot, count
  LONGS_EQUAL(4, writes_for({{web, row({2, 3, 4, 5, 6, 7, 8, 9, 10})}}));   // the last moves in
  LONGS_EQUAL(3, writes_for({{web, row({3, 4, 5, 6, 7, 8, 9, 10, 11})}}));  // one for another
}

TEST(MapWriter, a_change_of_affinity_or_flags_is_one_write) {
  writes_for({{web, row({1, 2, 3})}});
  auto changed = row({1, 2, 3});
  changed.affinity_timeout_s = 60;
  LONGS_EQUAL(1, writes_for({{web, changed}}));
  changed.flags = LB_NONE_LOCAL;
  LONGS_EQUAL(1, writes_for({{web, changed}}));
}

TEST(MapWriter, a_service_that_goes_leaves_nothing) {
  writes_for({{web, row({1, 2, 3})}, {front("10.96.0.11", 80), row({})}});
  writes_for({{web, std::nullopt}, {front("10.96.0.11", 80), std::nullopt}});
  LONGS_EQUAL(0, maps.services.size() + maps.slots.size() + maps.backends.size());
}

TEST(MapWriter, removing_what_is_not_there_writes_nothing) {
  LONGS_EQUAL(0, writes_for({{web, std::nullopt}}));
}

TEST(MapWriter, a_new_writer_takes_over_and_writes_the_difference_only) {
  writes_for({{web, row({1, 2, 3})}});
  MapWriter next(maps);
  CHECK(next.read_back().has_value());
  const int before = maps.writes;
  CHECK(!next.write({{web, row({1, 2, 3})}}).error);
  LONGS_EQUAL(0, maps.writes - before);
  CHECK(!next.write({{web, row({1, 2, 4})}}).error);
  LONGS_EQUAL(3, maps.writes - before);
  LONGS_EQUAL(1, next.fronts().size());
}

TEST(MapWriter, a_full_map_keeps_one_service_out_and_lets_the_others_in) {
  maps.sizes.backends = 5;
  const auto outcome = writer.write({{front("10.96.0.1", 1), row({1, 2})},
                                     {front("10.96.0.2", 1), row({1, 2, 3, 4, 5, 6})},
                                     {front("10.96.0.3", 1), row({1, 2})}});
  CHECK(outcome.error.has_value());
  LONGS_EQUAL(1, outcome.failed.size());
  CHECK(outcome.failed.begin()->first == front("10.96.0.2", 1));
  const auto reachable = maps.reachable();
  CHECK(reachable.at(front("10.96.0.1", 1)) == set_of(backends_of({1, 2})));
  CHECK(reachable.at(front("10.96.0.3", 1)) == set_of(backends_of({1, 2})));
  LONGS_EQUAL(4, maps.backends.size());  // nothing of the one that failed lies about

  maps.sizes.backends = 10;
  CHECK(!writer.write(outcome.failed).error);
  LONGS_EQUAL(3, maps.reachable().size());
}

TEST(MapWriter, maps_that_cannot_be_read_back_fail_everything_and_recover) {
  maps.writes_until_death = 0;
  maps.dumps_fail = true;
  const auto outcome = writer.write({{web, row({1})}, {front("10.96.0.11", 80), row({2})}});
  LONGS_EQUAL(2, outcome.failed.size());
  maps.writes_until_death = 1'000;
  maps.dumps_fail = false;
  CHECK(writer.read_back().has_value());
  CHECK(!writer.write(outcome.failed).error);
  LONGS_EQUAL(2, maps.reachable().size());
}

// Goal: whatever changes and wherever the writer dies, readers never miss a backend and the next
// writer ends at what was wanted. Method: random rows from a seed; each write is checked by the
// maps; one change in four dies after a random number of writes.
TEST(MapWriter, no_sequence_of_changes_or_crashes_loses_a_backend) {
  const std::uint64_t seed = SystemRandom().next();
  SeededRandom random(seed);
  std::cout << "map_writer seed " << seed << '\n';
  std::vector<lb_service_key> fronts;
  for (int i = 0; i < 6; ++i) fronts.push_back(front(fmt::format("10.96.0.{}", i + 1), 80));
  std::map<lb_service_key, ServiceRow> wanted;
  std::optional<MapWriter> current(std::in_place, maps);

  for (int step = 0; step < 3'000; ++step) {
    RowChanges changes;
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      const auto& key = fronts[random.below(fronts.size())];
      if (random.below(6) == 0) {
        changes[key] = std::nullopt;
        continue;
      }
      std::set<int> numbers;
      for (std::uint64_t n = random.below(8); n > 0; --n)
        numbers.insert(static_cast<int>(random.below(10)));
      changes[key] = row({numbers.begin(), numbers.end()});
    }
    Reachable goal;
    for (const auto& [key, value] : changes) {
      if (value)
        wanted[key] = *value;
      else
        wanted.erase(key);
    }
    for (const auto& [key, value] : wanted) goal[key] = set_of(value.backends);
    maps.expect(goal);

    const bool dies = random.below(4) == 0;
    if (dies) maps.writes_until_death = static_cast<int>(random.below(20));
    const auto outcome = current->write(changes);
    maps.writes_until_death = 1'000'000'000;
    if (dies) {
      current.emplace(maps);
      CHECK(current->read_back().has_value());
      CHECK(!current->write(changes).error);
    } else {
      CHECK(!outcome.error);
    }
    maps.stop_checking();
    CHECK_TEXT(maps.reachable() == goal, fmt::format("seed {} step {}", seed, step).c_str());
    std::size_t slots = 0;
    for (const auto& [key, value] : wanted) slots += value.backends.size();
    LONGS_EQUAL(slots, maps.slots.size());
    LONGS_EQUAL(slots, maps.backends.size());
    LONGS_EQUAL(wanted.size(), maps.services.size());
  }
}

TEST(MapWriter, an_id_given_back_rests_before_it_is_used_again) {
  Ids ids;
  const auto first = ids.take();
  ids.give_back(first);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 4'000; ++i) {
    const auto id = ids.take();
    CHECK(id != first);
    seen.insert(id);
    ids.give_back(id);
  }
  LONGS_EQUAL(4'000, seen.size());
  for (int i = 0; i < 100'000; ++i) ids.give_back(ids.take());
  CHECK_TEXT(ids.take() < 10'000, "numbers stay small however often they change hands");
}

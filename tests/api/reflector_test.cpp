// The reflector against an API server in memory, in virtual time.
#include "api/reflector.h"

#include "tests/api/fake_api.h"
#include "tests/sim_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

const Error broken{Reason::ServiceUnavailable, "connection lost"};

std::string value_of(const ObjectPtr& object) {
  return decode<core::ConfigMap>(*object).data().at("value");
}

}  // namespace

TEST_GROUP(Reflector) {
  SimLoop loop;
  FakeApi api{loop};
  SeededRandom random{1};
  ObjectIndex index;
  std::string told;  // "+a/one -a/two ~a/three "
  IndexSink sink{index, kinds::config_map(), [this](const Change& change) { note(change); }};
  std::unique_ptr<Reflector> reflector;

  void note(const Change& change) {
    const char* what = !change.before ? "+" : !change.after ? "-" : "~";
    told += what + key_of(change.object()) + " ";
  }
  void start() {
    reflector = std::make_unique<Reflector>(Reflector::Source{loop, api, random},
                                            kinds::config_map(), ListOptions(), sink);
    loop.settle();
  }
  std::string take_told() {
    return std::exchange(told, {});
  }
  void expect_told(const char* expected) {
    loop.settle();
    STRCMP_EQUAL(expected, take_told().c_str());
  }
  void expect_equal() {
    LONGS_EQUAL(api.objects().size(), index.count(kinds::config_map()));
    for (const auto& [name, object] : api.objects()) {
      ObjectPtr mirrored = index.get(kinds::config_map(), "a", name);
      CHECK(mirrored != nullptr);
      LONGS_EQUAL(object->resource_version, mirrored->resource_version);
    }
  }
};

TEST(Reflector, lists_everything_then_tells_each_change) {
  api.put("one", "u1", "x");
  start();
  CHECK(reflector->synced());
  expect_told("+a/one ");
  api.put("two", "u2", "x");
  api.put("one", "u1", "y");
  api.erase("two");
  expect_told("+a/two ~a/one -a/two ");
  STRCMP_EQUAL("y", value_of(index.get(kinds::config_map(), "a", "one")).c_str());
  LONGS_EQUAL(api.revision(), reflector->revision());
  LONGS_EQUAL(1, api.lists);
  LONGS_EQUAL(1, api.watches_opened);
}

TEST(Reflector, says_once_that_it_is_in_step) {
  int times = 0;
  reflector = std::make_unique<Reflector>(Reflector::Source{loop, api, random}, kinds::config_map(),
                                          ListOptions(), sink);
  CHECK(!reflector->synced());
  reflector->on_synced([&] { ++times; });
  loop.settle();
  LONGS_EQUAL(1, times);
  reflector->on_synced([&] { ++times; });
  LONGS_EQUAL(1, times);
  loop.settle();
  LONGS_EQUAL(2, times);
}

TEST(Reflector, resumes_after_a_break_where_it_was) {
  start();
  const Revision seen = api.put("one", "u1", "x");
  expect_told("+a/one ");
  api.break_watches(broken);
  loop.settle();
  api.put("one", "u1", "y");
  api.put("two", "u2", "x");
  expect_told("");
  loop.run_for(2s);
  expect_told("~a/one +a/two ");
  LONGS_EQUAL(1, api.lists);
  LONGS_EQUAL(seen, api.last_watch_from);
}

TEST(Reflector, resumes_from_the_last_bookmark) {
  start();
  api.other_writes(1000);
  api.bookmark();
  loop.settle();
  LONGS_EQUAL(api.revision(), reflector->revision());
  api.forget_history();
  api.break_watches(broken);
  loop.run_for(2s);
  LONGS_EQUAL(1, api.lists);
  LONGS_EQUAL(api.revision(), api.last_watch_from);
}

TEST(Reflector, lists_again_when_its_revision_is_forgotten_and_tells_only_what_differs) {
  api.put("gone", "u1", "x");
  api.put("changed", "u2", "x");
  api.put("same", "u3", "x");
  api.put("replaced", "u4", "x");
  start();
  take_told();
  api.break_watches(broken);
  loop.settle();
  api.erase("gone");
  api.put("changed", "u2", "y");
  api.erase("replaced");
  api.put("replaced", "u5", "x");
  api.put("new", "u6", "x");
  api.forget_history();
  loop.run_for(2s);
  expect_told("-a/gone ~a/changed +a/new -a/replaced +a/replaced ");
  expect_equal();
  LONGS_EQUAL(2, api.lists);
}

TEST(Reflector, an_expired_watch_is_listed_again_at_once) {
  start();
  api.break_watches({Reason::Expired, "too old"});
  loop.settle();
  LONGS_EQUAL(2, api.lists);
  LONGS_EQUAL(1, api.open_watches());
}

TEST(Reflector, a_watch_that_ends_well_is_opened_again_at_once) {
  start();
  loop.run_for(300s);
  api.break_watches({Reason::Timeout, "the watch has ended"});
  loop.settle();
  LONGS_EQUAL(1, api.open_watches());
  LONGS_EQUAL(1, api.lists);
}

TEST(Reflector, a_watch_that_ends_at_once_is_not_opened_without_pause) {
  start();
  const Instant begin = loop.clock().now();
  int opened = 0;
  while (loop.clock().now() < begin + 60s) {
    if (api.open_watches() > 0) {
      ++opened;
      api.break_watches({Reason::Timeout, "the watch has ended"});
    }
    loop.settle();
    if (!loop.advance()) break;
  }
  CHECK(opened > 2 && opened < 10);
}

TEST(Reflector, waits_longer_each_time_up_to_a_bound) {
  api.fail_with(broken);
  start();
  loop.run_for(600s);
  CHECK(!reflector->synced());
  const auto& at = api.asked_at;
  CHECK(at.size() > 20 && at.size() < 40);
  const Duration least[] = {800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30s, 30s};
  for (std::size_t i = 0; i < std::size(least); ++i) {
    const Duration waited = at[i + 1] - at[i];
    CHECK(waited >= least[i]);
    CHECK(waited <= std::min<Duration>(2 * least[i], 30s));
  }
  CHECK(at[1] - at[0] != 800ms);  // spread
  api.fail_with(std::nullopt);
  loop.run_for(31s);
  CHECK(reflector->synced());
  // After a calm time the first break is short again.
  loop.run_for(130s);
  const Instant before = loop.clock().now();
  api.break_watches(broken);
  loop.run_for(2s);
  CHECK(api.asked_at.back() >= before + 800ms && api.asked_at.back() <= before + 1600ms);
}

TEST(Reflector, too_many_requests_waits_and_does_not_list) {
  start();
  api.fail_with(Error{Reason::TooManyRequests, "later"});
  api.break_watches(broken);
  loop.run_for(10s);
  LONGS_EQUAL(1, api.lists);
  api.fail_with(std::nullopt);
  loop.run_for(30s);
  LONGS_EQUAL(1, api.lists);
  LONGS_EQUAL(1, api.open_watches());
}

TEST(Reflector, an_event_that_cannot_be_taken_leads_to_a_new_list) {
  start();
  api.put("one", "u1", "x");
  loop.settle();
  api.break_watches({Reason::BadRequest, "the watch event is damaged"});
  loop.run_for(2s);
  LONGS_EQUAL(2, api.lists);
  LONGS_EQUAL(1, api.open_watches());
}

TEST(Reflector, an_event_seen_before_is_passed_over) {
  start();
  api.put("one", "u1", "x");
  const ObjectPtr old = api.objects().at("one");
  api.put("one", "u1", "y");
  expect_told("+a/one ~a/one ");
  api.send_to_all(
      {.type = EventType::Modified, .object = old, .resource_version = old->resource_version});
  api.send_to_all(
      {.type = EventType::Deleted, .object = old, .resource_version = old->resource_version});
  expect_told("");
  STRCMP_EQUAL("y", value_of(index.get(kinds::config_map(), "a", "one")).c_str());
}

TEST(Reflector, a_removal_carries_the_last_state_when_it_was_seen) {
  std::vector<Change> changes;
  IndexSink other(index, kinds::config_map(),
                  [&](const Change& change) { changes.push_back(change); });
  Reflector reflecting({loop, api, random}, kinds::config_map(), {}, other);
  api.put("one", "u1", "x");
  loop.settle();
  const Revision revision = api.erase("one");
  loop.settle();
  LONGS_EQUAL(2, changes.size());
  CHECK(changes[1].last != nullptr && changes[1].before != nullptr && changes[1].after == nullptr);
  LONGS_EQUAL(revision, changes[1].revision);
}

TEST(Reflector, a_dropped_reflector_is_called_no_more) {
  start();
  api.put("one", "u1", "x");
  reflector.reset();
  loop.settle();
  LONGS_EQUAL(0, api.open_watches());
  STRCMP_EQUAL("", told.c_str());
  reflector = std::make_unique<Reflector>(Reflector::Source{loop, api, random}, kinds::config_map(),
                                          ListOptions(), sink);
  reflector.reset();  // while its list is on the way
  loop.run_for(100s);
  STRCMP_EQUAL("", told.c_str());
}

// Goal: whatever happens, what is mirrored becomes what is there, and each change follows from the
// one before. Method: random writes, breaks, forgotten history and failing servers by seed.
TEST(Reflector, ends_in_step_after_any_history) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SimLoop sim;
    FakeApi server(sim);
    SeededRandom dice(seed);
    ObjectIndex mirrored;
    std::map<std::string, ObjectPtr> followed;
    IndexSink follow(mirrored, kinds::config_map(), [&](const Change& change) {
      ObjectPtr& known = followed[key_of(change.object())];
      CHECK_TEXT(known == change.before, std::to_string(seed).c_str());
      known = change.after;
    });
    Reflector reflecting({sim, server, dice}, kinds::config_map(), {}, follow);
    for (int step = 0; step < 200; ++step) {
      const std::string name = "n" + std::to_string(dice.below(8));
      switch (dice.below(10)) {
        case 0:
          server.break_watches(broken);
          break;
        case 1:
          server.forget_history();
          break;
        case 2:
          server.fail_with(broken);
          break;
        case 3:
          server.fail_with(std::nullopt);
          break;
        case 4:
          server.bookmark();
          break;
        case 5:
          sim.run_for(Duration(dice.below(5'000'000'000)));
          break;
        case 6:
          if (server.objects().contains(name)) server.erase(name);
          break;
        default:
          server.put(name,
                     server.objects().contains(name) ? server.objects().at(name)->uid
                                                     : std::to_string(step),
                     "v");
          break;
      }
      if (dice.below(2) == 0) sim.settle();
    }
    server.fail_with(std::nullopt);
    sim.run_for(60s);
    LONGS_EQUAL_TEXT(server.objects().size(), mirrored.count(kinds::config_map()),
                     std::to_string(seed).c_str());
    for (const auto& [name, object] : server.objects()) {
      ObjectPtr mine = mirrored.get(kinds::config_map(), "a", name);
      CHECK_TEXT(mine && mine->resource_version == object->resource_version,
                 std::to_string(seed).c_str());
    }
  }
}

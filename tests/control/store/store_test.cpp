// The store over a simulated disk: what is seen when, what survives, what is refused.
#include "control/store/store.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/control/objects.h"
#include "tests/sim_disk.h"
#include "tests/sim_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Store) {
  SimLoop loop;
  SimDisk disk{loop};
  Limits limits;
  std::vector<std::string> fatal;
  std::unique_ptr<Store> store;
  std::vector<std::string> log;

  void setup() override {
    open();
  }

  void open() {
    store = std::make_unique<Store>(loop, disk, limits,
                                    [this](Error error) { fatal.push_back(error.message); });
    const auto loaded = store->load();
    CHECK_TRUE_TEXT(loaded.has_value(), loaded ? "" : loaded.error().message.c_str());
  }
  Result<> put(std::string_view key, std::string_view value) {
    return store->put(config_map_object(key, value, store->next_revision()));
  }
  Result<> remove(std::string_view key) {
    return store->remove(config_map_object(key, "gone", store->next_revision()));
  }
  std::string get(std::string_view key) {
    const auto [name_space, name] = split_key(key);
    const ObjectPtr object = store->view().get(kinds::config_map(), name_space, name);
    return object ? value_of(*object) : "";
  }
  std::string at(Revision revision, const std::string& after = "") {
    std::string text;
    auto ok = store->each_at(revision, kinds::config_map(), after, [&](const ObjectPtr& object) {
      text += key_of(*object) + "=" + value_of(*object) + " ";
      return true;
    });
    return ok ? text : ok.error().message;
  }
};

TEST(Store, shows_a_write_at_once_and_answers_it_when_it_is_durable) {
  disk.delay = 1ms;
  CHECK_TRUE(put("a/x", "1").has_value());
  STRCMP_EQUAL("1", get("a/x").c_str());
  LONGS_EQUAL(1, store->revision());
  store->when_durable(1, [this] { log.push_back("durable"); });
  loop.settle();
  LONGS_EQUAL(0, store->durable_revision());
  LONGS_EQUAL(0, log.size());
  loop.advance();
  LONGS_EQUAL(1, store->durable_revision());
  LONGS_EQUAL(1, log.size());
}

TEST(Store, runs_what_waits_for_an_old_revision_after_the_call_not_in_it) {
  CHECK_TRUE(put("a/x", "1").has_value());
  loop.advance();
  store->when_durable(1, [this] { log.push_back("durable"); });
  LONGS_EQUAL(0, log.size());
  loop.settle();
  LONGS_EQUAL(1, log.size());
}

// Method: writes of one turn, then writes while the first batch is in the air.
TEST(Store, gathers_writes_into_batches) {
  disk.delay = 1ms;
  for (int i = 0; i < 10; ++i) CHECK_TRUE(put("a/" + std::to_string(i), "1").has_value());
  loop.settle();
  for (int i = 0; i < 5; ++i) CHECK_TRUE(put("b/" + std::to_string(i), "1").has_value());
  loop.advance();
  LONGS_EQUAL(1, disk.batches);
  LONGS_EQUAL(10, store->durable_revision());
  loop.advance();
  LONGS_EQUAL(2, disk.batches);
  LONGS_EQUAL(15, store->durable_revision());
}

TEST(Store, bounds_a_batch_by_writes_and_by_bytes) {
  limits.commit_batch_writes = 3;
  for (int i = 0; i < 7; ++i) CHECK_TRUE(put("a/" + std::to_string(i), "1").has_value());
  while (loop.advance()) {
  }
  LONGS_EQUAL(3, disk.batches);
  limits.commit_batch_writes = 100;
  limits.commit_batch_bytes = 1;
  for (int i = 0; i < 4; ++i) CHECK_TRUE(put("b/" + std::to_string(i), "1").has_value());
  while (loop.advance()) {
  }
  LONGS_EQUAL(3 + 4, disk.batches);
  LONGS_EQUAL(11, store->durable_revision());
}

TEST(Store, tells_this_process_at_once_and_watchers_when_it_is_durable) {
  store->subscribe(
      [this](const Change& change) { log.push_back("now " + std::to_string(change.revision)); });
  store->subscribe_durable([this](std::span<const Change> changes) {
    for (const auto& change : changes) log.push_back("durable " + std::to_string(change.revision));
  });
  CHECK_TRUE(put("a/x", "1").has_value());
  CHECK_TRUE(put("a/x", "2").has_value());
  CHECK_TRUE(remove("a/x").has_value());
  loop.advance();
  const std::vector<std::string> expected = {"now 1",     "now 2",     "now 3",
                                             "durable 1", "durable 2", "durable 3"};
  CHECK_TRUE(expected == log);
}

TEST(Store, says_what_a_removal_leaves) {
  std::vector<Change> seen;
  store->subscribe([&seen](const Change& change) { seen.push_back(change); });
  CHECK_TRUE(put("a/x", "1").has_value());
  CHECK_TRUE(remove("a/x").has_value());
  POINTERS_EQUAL(nullptr, seen[1].after.get());
  STRCMP_EQUAL("1", value_of(*seen[1].before).c_str());
  LONGS_EQUAL(1, seen[1].before->resource_version);
  LONGS_EQUAL(2, seen[1].last->resource_version);
  LONGS_EQUAL(2, store->revision());
}

TEST(Store, remembers_changes_from_a_revision_on) {
  for (int i = 1; i <= 5; ++i) CHECK_TRUE(put("a/x", std::to_string(i)).has_value());
  LONGS_EQUAL(0, store->history_after(0)->size());  // not durable yet
  loop.advance();
  const auto changes = store->history_after(2);
  LONGS_EQUAL(3, changes->size());
  LONGS_EQUAL(3, changes->front().revision);
  STRCMP_EQUAL("2", value_of(*changes->front().before).c_str());
  LONGS_EQUAL(0, store->history_after(5)->size());
  LONGS_EQUAL(0, store->history_after(99)->size());
}

TEST(Store, forgets_old_changes_beyond_the_bounds) {
  struct Case {
    const char* name;
    std::size_t events, bytes;
    Revision oldest;
  };
  const Case cases[] = {{"by number", 3, 1'000'000, 17}, {"by weight", 1'000, 5'100, 15}};
  for (const auto& c : cases) {
    limits.history_events = c.events;
    limits.history_bytes = c.bytes;
    store.reset();
    disk.crash(true);
    disk.rows().clear();
    SimDisk fresh(loop);
    Store small(loop, fresh, limits, [](Error) {});
    CHECK_TRUE(small.load().has_value());
    for (Revision i = 1; i <= 20; ++i) {
      CHECK_TRUE(small.put(config_map_object("a/x", std::string(400, 'x'), i)).has_value());
    }
    CHECK_TRUE_TEXT(small.history_after(0).has_value(), "kept until it is told");
    loop.advance();
    CHECK_TRUE_TEXT(small.history_after(c.oldest).has_value(), c.name);
    const auto expired = small.history_after(c.oldest - 1);
    CHECK_TRUE_TEXT(!expired && expired.error().reason == Reason::Expired, c.name);
    STRCMP_EQUAL(fmt::format("too old resource version: {} ({})", c.oldest - 1, c.oldest).c_str(),
                 expired.error().message.c_str());
  }
}

TEST(Store, shows_objects_as_they_were) {
  CHECK_TRUE(put("a/b", "1").has_value());
  CHECK_TRUE(put("a/d", "1").has_value());
  CHECK_TRUE(put("a/b", "2").has_value());
  CHECK_TRUE(put("a/c", "1").has_value());
  CHECK_TRUE(remove("a/d").has_value());
  CHECK_TRUE(put("a/e", "1").has_value());
  struct Case {
    Revision revision;
    const char* after;
    const char* expected;
  };
  const Case cases[] = {
      {0, "", ""},
      {1, "", "a/b=1 "},
      {2, "", "a/b=1 a/d=1 "},
      {3, "", "a/b=2 a/d=1 "},
      {4, "", "a/b=2 a/c=1 a/d=1 "},
      {5, "", "a/b=2 a/c=1 "},
      {6, "", "a/b=2 a/c=1 a/e=1 "},
      {4, "a/b", "a/c=1 a/d=1 "},
      {4, "a/c", "a/d=1 "},
      {4, "a/d", ""},
  };
  for (const auto& c : cases) {
    STRCMP_EQUAL_TEXT(c.expected, at(c.revision, c.after).c_str(),
                      fmt::format("{} after {}", c.revision, c.after).c_str());
  }
}

TEST(Store, stops_showing_when_told) {
  for (const char* key : {"a/1", "a/2", "a/3", "a/4"}) CHECK_TRUE(put(key, "1").has_value());
  CHECK_TRUE(remove("a/2").has_value());
  for (std::size_t most = 1; most <= 4; ++most) {
    std::size_t seen = 0;
    CHECK_TRUE(store->each_at(4, kinds::config_map(), "",
                              [&](const ObjectPtr&) { return ++seen < most; }));
    LONGS_EQUAL(most, seen);
  }
}

TEST(Store, keeps_what_is_durable_through_a_crash_and_never_goes_back) {
  disk.delay = 1ms;
  CHECK_TRUE(put("a/kept", "1").has_value());
  CHECK_TRUE(put("a/removed", "1").has_value());
  CHECK_TRUE(remove("a/removed").has_value());
  while (loop.advance()) {
  }
  CHECK_TRUE(put("a/lost", "1").has_value());
  loop.settle();
  disk.crash(false);
  open();
  LONGS_EQUAL(3, store->revision());
  LONGS_EQUAL(3, store->durable_revision());
  STRCMP_EQUAL("1", get("a/kept").c_str());
  STRCMP_EQUAL("", get("a/removed").c_str());
  STRCMP_EQUAL("", get("a/lost").c_str());
  LONGS_EQUAL(4, store->next_revision());
  CHECK_TRUE_TEXT(store->history_after(3).has_value(), "resumes where it was");
  CHECK_TRUE_TEXT(!store->history_after(2), "history is memory's");
}

TEST(Store, ends_for_good_when_its_log_fails) {
  for (const bool lands : {false, true}) {
    fatal.clear();
    CHECK_TRUE(put("a/x", lands ? "2" : "1").has_value());
    store->when_durable(store->revision(), [this] { log.push_back("never"); });
    disk.fail_next({Reason::InternalError, "disk I/O error"}, lands);
    loop.advance();
    LONGS_EQUAL(1, fatal.size());
    STRCMP_EQUAL("disk I/O error", fatal[0].c_str());
    const auto refused = put("a/y", "1");
    CHECK_TRUE(!refused && refused.error().reason == Reason::ServiceUnavailable);
    STRCMP_EQUAL("the store's log has failed: disk I/O error", refused.error().message.c_str());
    loop.settle();
    LONGS_EQUAL(0, log.size());
    LONGS_EQUAL(1, fatal.size());
    open();  // the process begins anew
    STRCMP_EQUAL(lands ? "2" : "", get("a/x").c_str());
  }
}

TEST(Store, refuses_writes_before_the_disk_is_full_and_serves_reads) {
  CHECK_TRUE(put("a/x", "1").has_value());
  loop.advance();
  disk.room = 20'000;  // one write of 16 KiB and its bytes, not two
  CHECK_TRUE(put("a/x", "2").has_value());
  loop.advance();
  CHECK_TRUE(put("a/x", "3").has_value());
  const auto refused = put("a/x", "4");
  CHECK_TRUE(!refused && refused.error().reason == Reason::ServiceUnavailable);
  STRCMP_CONTAINS("disk nearly full: writes are refused until", refused.error().message.c_str());
  STRCMP_CONTAINS("in the simulated disk", refused.error().message.c_str());
  STRCMP_EQUAL("3", get("a/x").c_str());
  LONGS_EQUAL(3, store->revision());
  CHECK_TRUE(!store->takes_writes());
  CHECK_TRUE_TEXT(remove("a/x").has_value(), "room is made by removing");
  disk.room = -static_cast<std::int64_t>(limits.disk_reserve_bytes / 2);
  loop.advance();
  CHECK_TRUE_TEXT(!remove("a/x"), "but not to the last byte");
  disk.room = 1'000'000;
  CHECK_TRUE_TEXT(put("a/x", "5").has_value(), "as soon as there is room");
  LONGS_EQUAL(0, fatal.size());
}

TEST(Store, loads_nothing_it_does_not_understand) {
  struct Case {
    const char* text;
    std::function<void(std::map<Revision, Record>&)> damage;
  };
  const Case cases[] = {
      {"a kind that this program does not know",
       [](auto& rows) { rows.at(1).resource = "gadgets.example.com"; }},
      {"a/x: ConfigMap: the body is not a", [](auto& rows) { rows.at(1).bytes = "\xff\xff"; }},
      {"is not what revision 1 says",
       [](auto& rows) { rows.at(1).bytes = config_map_object("a/x", "1", 7)->bytes; }},
      {"is not what revision 1 says", [](auto& rows) { rows.at(1).key = "a/z"; }},
      {"is there twice", [](auto& rows) {
         rows.at(2).key = "a/x";
         rows.at(2).bytes = config_map_object("a/x", "1", 2)->bytes;
       }}};
  CHECK_TRUE(put("a/x", "1").has_value());
  CHECK_TRUE(put("a/y", "1").has_value());
  loop.advance();
  const auto whole = disk.rows();
  for (const auto& c : cases) {
    disk.rows() = whole;
    c.damage(disk.rows());
    Store other(loop, disk, limits, [](Error) {});
    const auto loaded = other.load();
    CHECK_TRUE_TEXT(!loaded, c.text);
    STRCMP_CONTAINS(c.text, loaded.error().message.c_str());
  }
}

// The queue every reconciler hangs on: once per key, in time, backing off, first due first.
#include "base/work_queue.h"

#include <string>
#include <vector>

#include "tests/sim_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(WorkQueue) {
  SimLoop loop;
  std::vector<std::string> seen;
  std::map<std::string, int> failures_left;
  Outcome next;
  WorkQueue queue{loop, "test", [this](const std::string& key) -> Result<Outcome> {
                    seen.push_back(key);
                    if (failures_left[key]-- > 0) return fail(Reason::Conflict, "again");
                    return next;
                  }};
  void expect(const std::vector<std::string>& keys) {
    LONGS_EQUAL(keys.size(), seen.size());
    for (std::size_t i = 0; i < keys.size(); ++i) CHECK_EQUAL(keys[i], seen[i]);
    seen.clear();
  }
};

TEST(WorkQueue, runs_a_key_once_however_often_it_was_added) {
  queue.add("b");
  queue.add("a");
  queue.add("b");
  loop.settle();
  expect({"b", "a"});
}

TEST(WorkQueue, the_sooner_of_two_delays_counts) {
  queue.add_after("a", 10s);
  queue.add_after("a", 2s);
  queue.add_after("a", 5s);
  loop.run_for(3s);
  expect({"a"});
  loop.run_for(20s);
  expect({});
}

TEST(WorkQueue, adding_now_replaces_a_delay) {
  queue.add_after("a", 10s);
  queue.add("a");
  loop.run_for(20s);
  expect({"a"});
}

TEST(WorkQueue, backs_off_twice_as_long_after_each_failure_and_forgets_after_success) {
  failures_left["a"] = 3;  // 5 + 10 + 20 ms
  queue.add("a");
  loop.run_for(14ms);
  expect({"a", "a"});
  loop.run_for(100ms);
  expect({"a", "a"});
  failures_left["a"] = 1;
  queue.add("a");
  loop.run_for(6ms);
  expect({"a", "a"});
}

TEST(WorkQueue, comes_again_when_asked) {
  next.again_after = 1s;
  queue.add("a");
  loop.run_for(2500ms);
  expect({"a", "a", "a"});
}

TEST(WorkQueue, forget_takes_back_what_was_due) {
  queue.add("a");
  queue.add_after("b", 1s);
  queue.forget("a");
  queue.forget("b");
  loop.run_for(5s);
  expect({});
}

TEST(WorkQueue, a_dead_queue_runs_nothing) {
  auto doomed = std::make_unique<WorkQueue>(loop, "doomed", [this](const std::string& key) {
    seen.push_back(key);
    return Result<Outcome>(Outcome{});
  });
  doomed->add("x");
  doomed->add_after("y", 1s);
  doomed.reset();
  loop.run_for(2s);
  expect({});
}

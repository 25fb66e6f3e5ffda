// What is told once and counted after that.
#include "api/event_log.h"

#include "api/proto/core/v1/event.pb.h"
#include "tests/sim_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(EventLog) {
  SimLoop loop;
  EventLog log{"kubelet", "node-1", loop.clock()};
  core::Event event;

  EventLog::Said say(const std::string& name, const std::string& message,
                     const std::string& name_space = "default") {
    core::ObjectReference regarding;
    regarding.set_kind("Pod");
    regarding.set_name(name);
    regarding.set_namespace_(name_space);
    return log.say({regarding, "Warning", "BackOff", message}, event);
  }
};

TEST(EventLog, the_same_again_is_counted) {
  const auto first = say("web", "again");
  CHECK(first.is_new);
  LONGS_EQUAL(1, event.count());
  loop.run_for(5s);
  const auto second = say("web", "again");
  CHECK(!second.is_new);
  CHECK_EQUAL(first.key, second.key);
  LONGS_EQUAL(2, event.count());
  LONGS_EQUAL(5, event.lasttimestamp().seconds() - event.firsttimestamp().seconds());
}

TEST(EventLog, what_differs_is_told_apart) {
  const auto first = say("web", "a");
  CHECK(say("web", "b").is_new);
  CHECK(say("other", "a").is_new);
  CHECK(say("web", "a", "elsewhere").is_new);
  CHECK(first.key != say("web", "c").key);
}

TEST(EventLog, ten_minutes_later_it_is_news_again) {
  say("web", "a");
  loop.run_for(601s);
  CHECK(say("web", "a").is_new);
}

TEST(EventLog, what_could_not_be_written_is_forgotten) {
  const auto first = say("web", "a");
  log.forget(first.key);
  log.forget("default/nothing");
  CHECK(say("web", "a").is_new);
}

TEST(EventLog, events_of_what_has_no_namespace_live_in_default) {
  CHECK(say("node-1", "a", "").key.starts_with("default/node-1."));
}

TEST(EventLog, long_names_and_messages_are_cut_to_what_the_api_takes) {
  say(std::string(253, 'n'), std::string(5'000, 'm'));
  LONGS_EQUAL(253, event.metadata().name().size());
  LONGS_EQUAL(1'024, event.message().size());
  CHECK(event.message().ends_with("..."));
}

TEST(EventLog, remembers_a_bounded_number) {
  const auto first = say("web", "first");
  for (int i = 0; i < 2'000; ++i) say("web", std::to_string(i));
  CHECK(say("web", "first").is_new);
  CHECK(!say("web", "1999").is_new);
}

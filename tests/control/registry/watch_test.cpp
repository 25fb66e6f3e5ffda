// Watches: what begins them, what they are told, how they end.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Watch) {
  RegistryFixture api;
  std::shared_ptr<RecordingSink> sink = std::make_shared<RecordingSink>();
  Pending pending;
  Revision base = 0;

  void setup() override {
    api.make_namespace("other");
    api.settle();
    base = api.store->revision();
  }
  void put(const std::string& name, const std::string& app = "x",
           const std::string& name_space = "default") {
    const std::string json = fmt::format(
        R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}","namespace":"{}",
             "labels":{{"app":"{}"}}}},"data":{{"at":"{}"}}}})",
        name, name_space, app, api.store->revision());
    const bool exists = api.find("configmaps " + name_space + "/" + name) != nullptr;
    STRCMP_EQUAL("ok", status_of(exists ? api.update(json) : api.create(json)).c_str());
  }
  void remove(const std::string& name) {
    STRCMP_EQUAL("ok", status_of(api.remove("configmaps default/" + name)).c_str());
  }
  std::string begin(WatchQuery query, const Kind& kind = kinds::config_map()) {
    auto watched = api.registry->watch(kind, query, sink);
    if (watched) pending = std::move(*watched);
    api.loop.settle();
    return status_of(watched);
  }
  // What is expected, with revisions counted from base.
  std::string told() {
    api.settle();
    std::string text = sink->take();
    for (Revision offset = 40; offset >= 0; --offset) {
      const std::string absolute = "@" + std::to_string(base + offset);
      for (auto at = text.find(absolute); at != std::string::npos;
           at = text.find(absolute, at + 1)) {
        text.replace(at, absolute.size(), "@+" + std::to_string(offset));
      }
    }
    return text;
  }
};

TEST(Watch, from_a_revision_tells_what_follows_in_order) {
  put("a");
  put("b");
  api.settle();
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base + 1)}).c_str());
  STRCMP_EQUAL("ADDED b@+2", told().c_str());
  put("a", "y");
  remove("b");
  put("b");
  STRCMP_EQUAL("MODIFIED a@+3, DELETED b@+4, ADDED b@+5", told().c_str());
}

TEST(Watch, tells_nothing_before_it_is_durable) {
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base)}).c_str());
  api.disk.delay = 1s;
  put("a");
  api.loop.settle();
  STRCMP_EQUAL("", sink->take().c_str());
  STRCMP_EQUAL("ADDED a@+1", told().c_str());
}

TEST(Watch, begins_with_everything_unless_a_revision_says_from_where) {
  put("b");
  put("a");
  put("f", "x", "other");
  api.settle();
  struct Case {
    const char* name;
    WatchQuery query;
    const char* told;
  };
  const Case cases[] = {
      {"unset", {}, "ADDED a@+2, ADDED b@+1, ADDED f@+3"},
      {"zero", {.resource_version = "0"}, "ADDED a@+2, ADDED b@+1, ADDED f@+3"},
      {"one namespace", {.name_space = "default"}, "ADDED a@+2, ADDED b@+1"},
      {"one name", {.field_selector = "metadata.name=b"}, "ADDED b@+1"},
      {"from now", {.send_initial_events = false, .resource_version_match = "NotOlderThan"}, ""},
      {"list and watch",
       {.bookmarks = true, .send_initial_events = true, .resource_version_match = "NotOlderThan"},
       "ADDED a@+2, ADDED b@+1, ADDED f@+3, BOOKMARK @+3 end"},
      {"list and watch without bookmarks",
       {.send_initial_events = true, .resource_version_match = "NotOlderThan"},
       "ADDED a@+2, ADDED b@+1, ADDED f@+3"},
  };
  for (const auto& c : cases) {
    STRCMP_EQUAL_TEXT("ok", begin(c.query).c_str(), c.name);
    STRCMP_EQUAL_TEXT(c.told, told().c_str(), c.name);
  }
}

// Method: what is there is not durable yet when the watch begins, and more is written meanwhile.
TEST(Watch, loses_and_repeats_nothing_between_the_beginning_and_what_follows) {
  api.disk.delay = 1ms;
  put("a");
  STRCMP_EQUAL("ok", begin({}).c_str());
  put("b");
  put("a", "y");
  STRCMP_EQUAL("", sink->take().c_str());
  STRCMP_EQUAL("ADDED a@+1, ADDED b@+2, MODIFIED a@+3", told().c_str());
}

TEST(Watch, shows_an_object_that_enters_or_leaves_its_selection) {
  STRCMP_EQUAL(
      "ok", begin({.label_selector = "app=x", .resource_version = std::to_string(base)}).c_str());
  put("a", "y");
  put("a", "x");
  put("a", "x");
  put("a", "y");
  put("a", "y");
  put("a", "x");
  remove("a");
  STRCMP_EQUAL("ADDED a@+2, MODIFIED a@+3, DELETED a@+4, ADDED a@+6, DELETED a@+7", told().c_str());
  const WatchItem& left = sink->items.at(2);
  STRCMP_EQUAL("\"x\"", at(left.object, "/metadata/labels/app").c_str());
  LONGS_EQUAL(base + 4, left.object->resource_version);
  STRCMP_EQUAL(fmt::format("\"{}\"", base + 4).c_str(),
               at(left.object, "/metadata/resourceVersion").c_str());
}

TEST(Watch, of_one_node_s_pods_is_told_of_those_alone) {
  STRCMP_EQUAL(
      "ok", begin({.field_selector = "spec.nodeName=n1", .resource_version = std::to_string(base)},
                  kinds::pod())
                .c_str());
  const auto pod = [this](const char* name, const char* node) {
    CHECK_TRUE(
        api.create(fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}"}},
        "spec":{{"nodeName":"{}","containers":[{{"name":"c","image":"i"}}]}}}})",
                               name, node))
            .has_value());
  };
  pod("mine", "n1");
  pod("theirs", "n2");
  pod("nobodys", "");
  STRCMP_EQUAL("ADDED mine@+1", told().c_str());
  const auto bound = api.create(R"({"apiVersion":"v1","kind":"Binding","metadata":
      {"name":"nobodys"},"target":{"kind":"Node","name":"n1"}})",
                                "binding");
  STRCMP_EQUAL("ok", status_of(bound).c_str());
  STRCMP_EQUAL("ADDED nobodys@+4", told().c_str());
}

TEST(Watch, is_told_by_whatever_it_selects) {
  const WatchQuery queries[] = {{},
                                {.name_space = "default"},
                                {.name_space = "default", .field_selector = "metadata.name=a"},
                                {.field_selector = "metadata.name=a"},
                                {.label_selector = "app=x"},
                                {.field_selector = "metadata.namespace=default"}};
  for (WatchQuery query : queries) {
    query.resource_version = std::to_string(api.store->revision());
    STRCMP_EQUAL("ok", begin(query).c_str());
    put("a");
    put("a");
    STRCMP_CONTAINS("a@", told().c_str());
    LONGS_EQUAL(1, sink->deliveries);  // both in one batch
    pending.reset();
    put("a");
    STRCMP_EQUAL("", told().c_str());
    sink->deliveries = 0;
  }
}

TEST(Watch, shares_encodings_among_watchers) {
  auto other = std::make_shared<RecordingSink>();
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base)}).c_str());
  const auto second =
      api.registry->watch(kinds::config_map(), {.resource_version = std::to_string(base)}, other);
  api.loop.settle();
  put("a");
  api.settle();
  const auto shared = sink->items.at(0).encodings;
  CHECK_TRUE(shared != nullptr);
  POINTERS_EQUAL(shared.get(), other->items.at(0).encodings.get());
  int made = 0;
  const auto make = [&made] { return std::to_string(++made); };
  STRCMP_EQUAL("1", shared->get(Encodings::Format::Json, make)->c_str());
  STRCMP_EQUAL("1", shared->get(Encodings::Format::Json, make)->c_str());
  STRCMP_EQUAL("2", shared->get(Encodings::Format::Protobuf, make)->c_str());
}

TEST(Watch, waits_for_a_revision_of_the_future) {
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base + 2)}).c_str());
  put("a");
  put("b");
  put("c");
  STRCMP_EQUAL("ADDED c@+3", told().c_str());
}

TEST(Watch, ends_in_the_stream_when_history_does_not_reach_back) {
  api.limits.history_events = 1;
  put("a");
  put("b");
  put("c");
  api.settle();
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base + 1)}).c_str());
  STRCMP_EQUAL(fmt::format("END 410 too old resource version: {} ({})", base + 1, base + 2).c_str(),
               sink->take().c_str());
  put("d");
  STRCMP_EQUAL("", told().c_str());
}

TEST(Watch, resumes_after_a_restart_where_it_was_but_no_earlier) {
  put("a");
  api.settle();
  api.restart();
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base + 1)}).c_str());
  put("b");
  STRCMP_EQUAL("ADDED b@+2", told().c_str());
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base)}).c_str());
  STRCMP_CONTAINS("END 410 too old resource version", sink->take().c_str());
}

TEST(Watch, sends_bookmarks_about_once_a_minute_and_before_the_end) {
  STRCMP_EQUAL("ok",
               begin({.resource_version = std::to_string(base), .bookmarks = true, .timeout = 150s})
                   .c_str());
  api.loop.run_for(59s);
  STRCMP_EQUAL("", told().c_str());
  put("f", "x", "other");
  api.loop.run_for(2s);
  STRCMP_EQUAL("ADDED f@+1, BOOKMARK @+1", told().c_str());
  api.loop.run_for(60s);
  STRCMP_EQUAL("BOOKMARK @+1", told().c_str());
  api.loop.run_for(28s);
  STRCMP_EQUAL("BOOKMARK @+1", told().c_str());
  api.loop.run_for(600s);
  STRCMP_EQUAL("", told().c_str());
}

TEST(Watch, sends_no_bookmarks_unasked_and_none_before_what_it_waits_for) {
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base)}).c_str());
  api.loop.run_for(600s);
  STRCMP_EQUAL("", told().c_str());
  STRCMP_EQUAL("ok",
               begin({.resource_version = std::to_string(base + 5), .bookmarks = true}).c_str());
  api.loop.run_for(600s);
  STRCMP_EQUAL("", told().c_str());
}

TEST(Watch, ends_when_its_receiver_is_too_slow_and_nobody_else_s_does) {
  auto other = std::make_shared<RecordingSink>();
  STRCMP_EQUAL("ok", begin({.resource_version = std::to_string(base)}).c_str());
  const auto second =
      api.registry->watch(kinds::config_map(), {.resource_version = std::to_string(base)}, other);
  api.loop.settle();
  sink->accepts = false;
  put("a");
  api.settle();
  put("b");
  api.settle();
  LONGS_EQUAL(1, sink->deliveries);
  LONGS_EQUAL(2, other->events.size());
}

TEST(Watch, hands_over_in_batches_of_a_bounded_size) {
  api.limits.watch_batch_events = 4;
  for (int i = 0; i < 10; ++i) put("c" + std::to_string(i));
  api.settle();
  STRCMP_EQUAL("ok", begin({}).c_str());
  LONGS_EQUAL(3, sink->deliveries);
  LONGS_EQUAL(10, sink->items.size());
}

TEST(Watch, refuses) {
  const std::string invalid = "422 Invalid: ListOptions.meta.k8s.io \"\" is invalid: ";
  struct Case {
    WatchQuery query;
    std::string status;
  };
  const Case cases[] = {
      {{.send_initial_events = true},
       invalid + "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                 "resourceVersionMatch to NotOlderThan"},
      {{.resource_version = "1", .resource_version_match = "NotOlderThan"},
       invalid +
           "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
           "sendInitialEvents is provided"},
      {{.send_initial_events = true, .resource_version_match = "Exact"},
       invalid + "[resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                 "resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "
                 "\"Exact\": supported values: \"NotOlderThan\"]"},
      {{.resource_version = "999",
        .send_initial_events = true,
        .resource_version_match = "NotOlderThan"},
       fmt::format("504 Timeout: Timeout: Too large resource version: 999, current: {}", base)},
      {{.resource_version = "x"},
       "400 BadRequest: invalid resource version: resourceVersion: Invalid value: \"x\": "
       "strconv.ParseUint: parsing \"x\": invalid syntax"},
  };
  for (const auto& c : cases) STRCMP_EQUAL(c.status.c_str(), begin(c.query).c_str());
}

TEST(Watch, of_events_shows_either_form) {
  STRCMP_EQUAL("ok", begin({}, kinds::event_v1()).c_str());
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},
      "involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"message":"M"})")
                 .has_value());
  api.settle();
  STRCMP_EQUAL("\"M\"", at(sink->items.at(0).object, "/note").c_str());
}

// DELETE: grace, finalizers, propagation, preconditions, collections.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string pod(std::string_view name, std::string_view node, std::string_view more = "",
                std::string_view metadata = "") {
  return fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}"{}}},
      "spec":{{"containers":[{{"name":"c","image":"i"}}],"nodeName":"{}"{}}}}})",
                     name, metadata, node, more);
}

std::string config_map(std::string_view name, std::string_view metadata = "") {
  return fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"{}}}}})",
                     name, metadata);
}

}  // namespace

TEST_GROUP(Delete) {
  RegistryFixture api;

  void made(const Result<Answer>& answer) {
    STRCMP_EQUAL("ok", status_of(answer).c_str());
  }
};

TEST(Delete, removes_at_once_what_nobody_holds) {
  made(api.create(config_map("a")));
  const auto answer = api.remove("configmaps default/a");
  CHECK_TRUE(answer->removed);
  CHECK_TRUE(answer->status_only);
  LONGS_EQUAL(api.store->revision(), answer->revision);
  LONGS_EQUAL(answer->revision, answer->object->resource_version);
  STRCMP_EQUAL("404 NotFound: configmaps \"a\" not found",
               status_of(api.remove("configmaps default/a")).c_str());
}

TEST(Delete, waits_for_finalizers) {
  made(api.create(config_map("a", R"(,"finalizers":["example.com/x"])")));
  const auto answer = api.remove("configmaps default/a");
  CHECK_FALSE(answer->removed);
  CHECK_FALSE(answer->status_only);
  STRCMP_EQUAL("\"2026-01-01T00:00:00Z\"", at(answer, "/metadata/deletionTimestamp").c_str());
  STRCMP_EQUAL("0", at(answer, "/metadata/deletionGracePeriodSeconds").c_str());
  api.loop.run_for(5s);
  const auto again = api.remove("configmaps default/a");
  LONGS_EQUAL(answer->revision, again->revision);  // nothing new
}

TEST(Delete, keeps_to_preconditions) {
  const auto answer = api.create(config_map("a"));
  const std::string uid = answer->object->uid, revision = std::to_string(answer->revision);
  const std::string conflict = "409 Conflict: Operation cannot be fulfilled on configmaps \"a\": ";
  STRCMP_EQUAL((conflict + "the UID in the precondition (x) does not match the UID in record (" +
                uid + "). The object might have been deleted and then recreated")
                   .c_str(),
               status_of(api.remove("configmaps default/a", {.uid = "x"})).c_str());
  STRCMP_EQUAL((conflict +
                "the ResourceVersion in the precondition (1) does not match the "
                "ResourceVersion in record (" +
                revision + "). The object might have been modified")
                   .c_str(),
               status_of(api.remove("configmaps default/a", {.resource_version = "1"})).c_str());
  STRCMP_EQUAL("ok", status_of(api.remove("configmaps default/a",
                                          {.uid = uid, .resource_version = revision}))
                         .c_str());
}

TEST(Delete, propagates_by_finalizers) {
  struct Case {
    const char* policy;
    const char* before;
    const char* finalizers;  // "": removed at once
  };
  const Case cases[] = {
      {"", "[]", ""},
      {"Background", "[]", ""},
      {"Foreground", "[]", R"(["foregroundDeletion"])"},
      {"Orphan", "[]", R"(["orphan"])"},
      {"Foreground", R"(["example.com/x"])", R"(["example.com/x","foregroundDeletion"])"},
      {"Background", R"(["foregroundDeletion"])", ""},
      {"", R"(["foregroundDeletion"])", R"(["foregroundDeletion"])"},
      {"", R"(["orphan"])", R"(["orphan"])"},
      {"Orphan", R"(["foregroundDeletion"])", R"(["orphan"])"},
  };
  int number = 0;
  for (const auto& c : cases) {
    const std::string name = "c" + std::to_string(++number);
    made(api.create(config_map(name, fmt::format(R"(,"finalizers":{})", c.before))));
    const auto answer = api.remove("configmaps default/" + name, {.propagation_policy = c.policy});
    CHECK_EQUAL_TEXT(*c.finalizers == 0, answer->removed, name.c_str());
    if (!answer->removed) {
      STRCMP_EQUAL(c.finalizers, at(answer, "/metadata/finalizers").c_str());
    }
  }
  made(api.create(config_map("z")));
  STRCMP_EQUAL(
      "422 Invalid: DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported "
      "value: \"Later\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
      status_of(api.remove("configmaps default/z", {.propagation_policy = "Later"})).c_str());
}

TEST(Delete, counts_a_generation_when_it_marks) {
  made(api.create(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
      "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})"));
  const auto answer =
      api.remove("deployments.apps default/web", {.propagation_policy = "Foreground"});
  STRCMP_EQUAL("2", at(answer, "/metadata/generation").c_str());
}

TEST(Delete, gives_pods_their_grace) {
  struct Case {
    const char* name;
    std::string json;
    std::optional<std::int64_t> asked;
    const char* grace;      // "": removed at once
    const char* timestamp;  // now is 2026-01-01T00:00:00Z
  };
  const Case cases[] = {
      {"default", pod("default", "n"), {}, "30", "\"2026-01-01T00:00:30Z\""},
      {"own",
       pod("own", "n", R"(,"terminationGracePeriodSeconds":5)"),
       {},
       "5",
       "\"2026-01-01T00:00:05Z\""},
      {"asked", pod("asked", "n"), 7, "7", "\"2026-01-01T00:00:07Z\""},
      {"negative", pod("negative", "n"), -3, "1", "\"2026-01-01T00:00:01Z\""},
      {"force", pod("force", "n"), 0, "", ""},
      {"unbound", pod("unbound", ""), {}, "", ""},
      {"unbound-asked", pod("unbound-asked", ""), 60, "", ""},
      {"held", pod("held", "n", "", R"(,"finalizers":["example.com/x"])"), 0, "0",
       "\"2026-01-01T00:00:00Z\""},
  };
  for (const auto& c : cases) {
    made(api.create(c.json));
    const auto answer =
        api.remove(std::string("pods default/") + c.name, {.grace_period_seconds = c.asked});
    CHECK_EQUAL_TEXT(*c.grace == 0, answer->removed, c.name);
    CHECK_FALSE(answer->status_only);  // a pod is shown even when it is gone
    if (answer->removed) continue;
    STRCMP_EQUAL_TEXT(c.grace, at(answer, "/metadata/deletionGracePeriodSeconds").c_str(), c.name);
    STRCMP_EQUAL_TEXT(c.timestamp, at(answer, "/metadata/deletionTimestamp").c_str(), c.name);
  }
}

TEST(Delete, removes_finished_pods_at_once) {
  made(api.create(pod("p", "n")));
  made(api.patch("pods default/p/status", PatchType::Merge, R"({"status":{"phase":"Failed"}})"));
  CHECK_TRUE(api.remove("pods default/p", {.grace_period_seconds = 60})->removed);
}

TEST(Delete, may_only_shorten_the_grace) {
  made(api.create(pod("p", "n")));
  made(api.remove("pods default/p"));
  api.loop.run_for(10s);
  const auto longer = api.remove("pods default/p", {.grace_period_seconds = 60});
  STRCMP_EQUAL("30", at(longer, "/metadata/deletionGracePeriodSeconds").c_str());
  const auto same = api.remove("pods default/p");
  LONGS_EQUAL(longer->revision, same->revision);
  const auto shorter = api.remove("pods default/p", {.grace_period_seconds = 5});
  STRCMP_EQUAL("5", at(shorter, "/metadata/deletionGracePeriodSeconds").c_str());
  STRCMP_EQUAL("\"2026-01-01T00:00:05Z\"", at(shorter, "/metadata/deletionTimestamp").c_str());
  const auto gone = api.remove("pods default/p", {.grace_period_seconds = 0});
  CHECK_TRUE(gone->removed);
}

TEST(Delete, does_nothing_on_a_dry_run) {
  made(api.create(config_map("a")));
  made(api.create(pod("p", "n")));
  api.context.dry_run = true;
  const Revision before = api.store->revision();
  CHECK_TRUE(api.remove("configmaps default/a")->removed);
  STRCMP_EQUAL("30",
               at(api.remove("pods default/p"), "/metadata/deletionGracePeriodSeconds").c_str());
  LONGS_EQUAL(before, api.store->revision());
  CHECK_TRUE(api.find("configmaps default/a") != nullptr);
}

TEST(Delete, takes_a_collection_by_selector) {
  api.make_namespace("other");
  made(api.create(config_map("a", R"(,"labels":{"x":"y"})")));
  made(api.create(config_map("b", R"(,"labels":{"x":"y"},"finalizers":["example.com/x"])")));
  made(api.create(config_map("c")));
  made(api.create(config_map("d", R"(,"labels":{"x":"y"},"namespace":"other")")));
  const auto answer = api.registry->remove_collection(
      kinds::config_map(), {.name_space = "default", .label_selector = "x=y"}, {}, api.context);
  STRCMP_EQUAL("a b", names_of(answer->items).c_str());
  LONGS_EQUAL(api.store->revision(), answer->revision);
  STRCMP_EQUAL("b c d", names_of(api.list("configmaps")->items).c_str());
  STRCMP_EQUAL(
      "405 MethodNotAllowed: deletecollection is not supported on resources of kind "
      "\"namespaces\"",
      status_of(api.registry->remove_collection(kinds::name_space(), {}, {}, api.context)).c_str());
}

TEST(Delete, is_an_event_at_its_own_revision) {
  made(api.create(config_map("a")));
  std::vector<Change> changes;
  api.store->subscribe([&changes](const Change& change) { changes.push_back(change); });
  const auto answer = api.remove("configmaps default/a");
  LONGS_EQUAL(1, changes.size());
  LONGS_EQUAL(answer->revision, changes[0].last->resource_version);
  STRCMP_EQUAL(fmt::format("\"{}\"", answer->revision).c_str(),
               at(changes[0].last, "/metadata/resourceVersion").c_str());
}

// Lists: selectors, pages at one revision, and what tokens and revisions are refused.
#include "api/go_text.h"
#include "control/registry/continue_token.h"
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(List) {
  RegistryFixture api;

  void setup() override {
    api.make_namespace("other");
    for (const char* name : {"a", "b", "c", "d", "e"})
      make("default", name, name[0] < 'c' ? "x" : "y");
    make("other", "f", "x");
    api.settle();
  }
  void make(const std::string& name_space, const std::string& name, const std::string& app) {
    const auto made = api.create(fmt::format(
        R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}","namespace":"{}",
             "labels":{{"app":"{}"}}}}}})",
        name, name_space, app));
    STRCMP_EQUAL("ok", status_of(made).c_str());
  }
  std::string listed(const ListQuery& query) {
    const auto answer = api.list("configmaps", query);
    return answer ? names_of(answer->items) : status_of(answer);
  }
};

TEST(List, selects) {
  struct Case {
    ListQuery query;
    const char* names;
  };
  const Case cases[] = {
      {{}, "a b c d e f"},
      {{.name_space = "default"}, "a b c d e"},
      {{.name_space = "other"}, "f"},
      {{.name_space = "nowhere"}, ""},
      {{.label_selector = "app=x"}, "a b f"},
      {{.name_space = "default", .label_selector = "app=x"}, "a b"},
      {{.field_selector = "metadata.name=b"}, "b"},
      {{.name_space = "default", .field_selector = "metadata.name=b"}, "b"},
      {{.name_space = "default", .label_selector = "app=y", .field_selector = "metadata.name=b"},
       ""},
      {{.name_space = "default", .field_selector = "metadata.name!=b"}, "a c d e"},
      {{.field_selector = "metadata.namespace=other"}, "f"},
      {{.name_space = "default", .field_selector = "metadata.name=b", .limit = 500}, "b"},
      {{.name_space = "default", .limit = 2, .resource_version = "0"}, "a b c d e"},
  };
  for (const auto& c : cases) STRCMP_EQUAL(c.names, listed(c.query).c_str());
}

TEST(List, finds_pods_of_a_node_by_its_index) {
  for (const char* name : {"p1", "p2", "p3"}) {
    CHECK_TRUE(
        api.create(fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}"}},
        "spec":{{"nodeName":"{}","containers":[{{"name":"c","image":"i"}}]}}}})",
                               name, name[1] == '2' ? "n2" : "n1"))
            .has_value());
  }
  for (const std::int64_t limit : {0, 1, 2, 500}) {
    const auto answer = api.list("pods", {.field_selector = "spec.nodeName=n1", .limit = limit});
    STRCMP_EQUAL(limit == 1 ? "p1" : "p1 p3", names_of(answer->items).c_str());
    CHECK_EQUAL(limit == 1, !answer->continue_token.empty());
    LONGS_EQUAL(-1, answer->remaining);
  }
}

// Method: pages are read while objects come and go; all must show the state of the first page.
TEST(List, shows_all_pages_at_the_revision_of_the_first) {
  const auto first = api.list("configmaps", {.name_space = "default", .limit = 2});
  STRCMP_EQUAL("a b", names_of(first->items).c_str());
  LONGS_EQUAL(3, first->remaining);
  make("default", "bb", "x");
  CHECK_TRUE(api.remove("configmaps default/c").has_value());
  const auto second = api.list(
      "configmaps", {.name_space = "default", .limit = 2, .continue_token = first->continue_token});
  STRCMP_EQUAL("c d", names_of(second->items).c_str());
  LONGS_EQUAL(1, second->remaining);
  LONGS_EQUAL(first->revision, second->revision);
  const auto third =
      api.list("configmaps",
               {.name_space = "default", .limit = 2, .continue_token = second->continue_token});
  STRCMP_EQUAL("e", names_of(third->items).c_str());
  LONGS_EQUAL(-1, third->remaining);
  LONGS_EQUAL(first->revision, third->revision);
  STRCMP_EQUAL("", third->continue_token.c_str());
}

TEST(List, counts_what_remains_only_without_selectors) {
  const auto all = api.list("configmaps", {.limit = 4});
  LONGS_EQUAL(2, all->remaining);
  const auto some = api.list("configmaps", {.label_selector = "app=x", .limit = 2});
  STRCMP_EQUAL("a b", names_of(some->items).c_str());
  LONGS_EQUAL(-1, some->remaining);
  const auto rest =
      api.list("configmaps",
               {.label_selector = "app=x", .limit = 2, .continue_token = some->continue_token});
  STRCMP_EQUAL("f", names_of(rest->items).c_str());
  const auto exactly = api.list("configmaps", {.limit = 6});
  STRCMP_EQUAL("", exactly->continue_token.c_str());
}

TEST(List, shows_an_exact_revision) {
  const std::string then = std::to_string(api.store->revision());
  make("default", "z", "x");
  STRCMP_EQUAL(
      "a b c d e",
      listed({.name_space = "default", .resource_version = then, .resource_version_match = "Exact"})
          .c_str());
  STRCMP_EQUAL("a b c d e z", listed({.name_space = "default",
                                      .resource_version = then,
                                      .resource_version_match = "NotOlderThan"})
                                  .c_str());
  STRCMP_EQUAL("a b c d e z", listed({.name_space = "default", .resource_version = then}).c_str());
  const auto page = api.list("configmaps", {.limit = 1, .resource_version = then});
  STRCMP_EQUAL(then.c_str(), std::to_string(page->revision).c_str());
}

TEST(List, refuses) {
  const std::string current = std::to_string(api.store->revision());
  const std::string token =
      api.list("configmaps", {.name_space = "default", .limit = 1})->continue_token;
  std::string forged = token;
  forged[forged.size() / 2] ^= 1;
  const std::string invalid = "422 Invalid: ListOptions.meta.k8s.io \"\" is invalid: ";
  struct Case {
    ListQuery query;
    std::string status;
  };
  const Case cases[] = {
      {{.resource_version = "999"},
       "504 Timeout: Timeout: Too large resource version: 999, current: " + current},
      {{.resource_version_match = "Exact"},
       invalid + "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
                 "resourceVersion is provided"},
      {{.resource_version = "0", .resource_version_match = "Exact"},
       invalid + "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for "
                 "resourceVersion \"0\""},
      {{.resource_version = "1", .resource_version_match = "Latest"},
       invalid +
           "resourceVersionMatch: Unsupported value: \"Latest\": supported values: \"Exact\", "
           "\"NotOlderThan\", \"\""},
      {{.continue_token = "%%"},
       "400 BadRequest: invalid continue token: continue key is not valid"},
      {{.continue_token = "aGVsbG8="},
       "400 BadRequest: invalid continue token: continue key is not valid"},
      {{.name_space = "default", .continue_token = forged},
       "400 BadRequest: invalid continue token: continue key is not valid"},
      {{.name_space = "other", .continue_token = token},
       "400 BadRequest: invalid continue token: continue key is not valid"},
      {{.name_space = "default", .continue_token = token, .resource_version = "1"},
       "400 BadRequest: specifying resource version is not allowed when using continue"},
  };
  for (const auto& c : cases) STRCMP_EQUAL(c.status.c_str(), listed(c.query).c_str());
  STRCMP_CONTAINS("400 BadRequest", listed({.label_selector = "a in"}).c_str());
  STRCMP_CONTAINS("400 BadRequest", listed({.field_selector = "spec.bogus=1"}).c_str());
}

TEST(List, tells_how_to_go_on_when_a_page_is_too_old) {
  const std::string token =
      api.list("configmaps", {.name_space = "default", .limit = 2})->continue_token;
  api.limits.history_events = 0;
  make("default", "z", "x");
  api.settle();
  const auto expired =
      api.list("configmaps", {.name_space = "default", .limit = 2, .continue_token = token});
  STRCMP_CONTAINS("410 Expired: The provided continue parameter is too old",
                  status_of(expired).c_str());
  const std::string fresh = expired.error().details->continue_token;
  const auto inconsistent =
      api.list("configmaps", {.name_space = "default", .limit = 2, .continue_token = fresh});
  STRCMP_EQUAL("c d", names_of(inconsistent->items).c_str());
  LONGS_EQUAL(api.store->revision(), inconsistent->revision);
  const auto exact =
      api.list("configmaps", {.resource_version = "1", .resource_version_match = "Exact"});
  STRCMP_EQUAL("410 Expired: The resourceVersion for the provided list is too old.",
               status_of(exact).c_str());
}

TEST(List, survives_a_restart_with_an_old_token) {
  const std::string token =
      api.list("configmaps", {.name_space = "default", .limit = 2})->continue_token;
  make("default", "z", "x");
  api.settle();
  api.restart();
  const auto expired =
      api.list("configmaps", {.name_space = "default", .limit = 2, .continue_token = token});
  STRCMP_CONTAINS("410 Expired", status_of(expired).c_str());
}

TEST(List, reads_no_token_that_was_tampered_with) {
  const Kind& kind = kinds::config_map();
  const std::string token =
      write_token({.revision = 5, .remaining = 3, .after = "default/x|y"}, kind, "default");
  const auto read = read_token(token, kind, "default");
  CHECK_TRUE(read.has_value());
  LONGS_EQUAL(5, read->revision);
  LONGS_EQUAL(3, read->remaining);
  STRCMP_EQUAL("default/x|y", read->after.c_str());
  std::string bytes;
  std::size_t bad = 0;
  CHECK_TRUE(parse_base64(token, bytes, bad));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int bit : {1, 16, 128}) {
      std::string tampered = bytes;
      tampered[i] = static_cast<char>(tampered[i] ^ bit);
      std::string text;
      append_base64(text, tampered);
      CHECK_FALSE(read_token(text, kind, "default").has_value());
    }
  }
  CHECK_FALSE(read_token(token, kinds::secret(), "default").has_value());
}

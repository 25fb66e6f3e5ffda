// Selectors: the grammar, what matches, and the words for what cannot be parsed.
#include "api/selector.h"

#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "base/random.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Selector){};

namespace {

Labels labels(std::vector<Labels::Entry> entries) {
  return Labels(std::move(entries));
}

std::string error_of(std::string_view text) {
  auto selector = LabelSelector::parse(text);
  return selector ? "" : selector.error().message;
}

ObjectPtr pod(const char* name, const char* node, const char* phase) {
  core::Pod message;
  message.mutable_metadata()->set_name(name);
  message.mutable_metadata()->set_namespace_("ns");
  message.mutable_spec()->set_nodename(node);
  message.mutable_status()->set_phase(phase);
  return make_object(test_pod(), message);
}

}  // namespace

TEST(Selector, matches_labels) {
  struct Case {
    const char* selector;
    bool matches;  // {app: web, tier: front, n: 5, empty: ""}
  };
  const Case cases[] = {{"", true},
                        {"app=web", true},
                        {"app==web", true},
                        {"app=db", false},
                        {"app!=db", true},
                        {"app!=web", false},
                        {"none!=web", true},
                        {"app in (db, web)", true},
                        {"app in (db)", false},
                        {"app notin (db,cache)", true},
                        {"app notin (web)", false},
                        {"none notin (web)", true},
                        {"app", true},
                        {"none", false},
                        {"!none", true},
                        {"!app", false},
                        {"n>4", true},
                        {"n>5", false},
                        {"n<6", true},
                        {"app>1", false},
                        {"none<1", false},
                        {"empty=", true},
                        {"empty in ()", true},
                        {"app in (,web)", true},
                        {" app = web , tier in ( front ) ,!none ", true},
                        {"app=web,tier=back", false},
                        {"in=x", false},
                        {"notin", false}};
  const Labels given = labels({{"tier", "front"}, {"app", "web"}, {"n", "5"}, {"empty", ""}});
  for (const auto& c : cases) {
    auto selector = LabelSelector::parse(c.selector);
    CHECK_TEXT(selector.has_value(), c.selector);
    CHECK_EQUAL_TEXT(c.matches, selector->matches(given), c.selector);
    auto again = LabelSelector::parse(selector->text());
    CHECK_TEXT(again.has_value(), c.selector);
    CHECK_EQUAL_TEXT(selector->text(), again->text(), c.selector);
    CHECK_EQUAL_TEXT(c.matches, again->matches(given), c.selector);
  }
}

TEST(Selector, is_written_with_sorted_keys_and_values) {
  CHECK_EQUAL(std::string("a in (x,y),b=1,c!=2,!d,e,f>3,g notin (q,r)"),
              LabelSelector::parse("g notin (r,q),f>3,e,!d,c!=2,b=1,a in (y,x,y)")->text());
}

TEST(Selector, says_what_cannot_be_parsed) {
  struct Case {
    const char* selector;
    const char* error;
  };
  const Case cases[] = {
      {"a,", "found '', expected: identifier after ','"},
      {",a", "found ',', expected: !, identifier, or 'end of string'"},
      {"a=b,,c", "found ',', expected: identifier after ','"},
      {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"a in b", "unable to parse requirement: found 'b' expected: '('"},
      {"a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
      {"a=b c", "found 'c', expected: ',' or 'end of string'"},
      {"=b", "found '=', expected: !, identifier, or 'end of string'"},
      {"!", "unable to parse requirement: found '', expected: identifier"},
      {"a==(", "unable to parse requirement: found '(', expected: identifier"},
  };
  for (const auto& c : cases)
    CHECK_EQUAL_TEXT(std::string(c.error), error_of(c.selector), c.selector);
  for (const char* bad : {"a=b/c", "-a=b", "a>x",
                          "a="
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}) {
    CHECK_FALSE_TEXT(error_of(bad).empty(), bad);
  }
}

TEST(Selector, comes_from_messages_and_maps) {
  meta::LabelSelector message;
  CHECK(LabelSelector::from(message)->matches_everything());
  (*message.mutable_matchlabels())["app"] = "web";
  auto& expression = *message.add_matchexpressions();
  expression.set_key("tier");
  expression.set_operator_("NotIn");
  expression.add_values("back");
  auto selector = LabelSelector::from(message);
  CHECK_EQUAL(std::string("app=web,tier!=back"), selector->text());
  CHECK(selector->matches(labels({{"app", "web"}})));
  CHECK_FALSE(selector->matches(labels({{"app", "web"}, {"tier", "back"}})));

  expression.set_operator_("Exists");
  CHECK_FALSE(LabelSelector::from(message).has_value());
  expression.clear_values();
  CHECK(LabelSelector::from(message).has_value());
  expression.set_operator_("In");
  CHECK_FALSE(LabelSelector::from(message).has_value());
  expression.set_operator_("Near");
  CHECK_EQUAL(std::string("\"Near\" is not a valid label selector operator"),
              LabelSelector::from(message).error().message);

  CHECK(LabelSelector::from_map(labels({{"a", "b"}})).matches(labels({{"a", "b"}, {"c", "d"}})));
  CHECK_FALSE(LabelSelector::nothing().matches(labels({})));
  CHECK_FALSE(LabelSelector::nothing().matches_everything());
}

TEST(Selector, matches_fields) {
  struct Case {
    const char* selector;
    bool matches;  // of ns/a on node n1, Running
  };
  const Case cases[] = {{"", true},
                        {"metadata.name=a", true},
                        {"metadata.name!=a", false},
                        {"metadata.namespace=ns,metadata.name==a", true},
                        {"spec.nodeName=n1,status.phase!=Failed,status.phase!=Succeeded", true},
                        {"spec.nodeName=", false},
                        {"spec.nodeName!=", true},
                        {"status.phase=Pending", false},
                        {",", true},
                        {"metadata.name=a\\,b", false}};
  const ObjectPtr object = pod("a", "n1", "Running");
  for (const auto& c : cases) {
    auto selector = FieldSelector::parse(test_pod(), c.selector);
    CHECK_TEXT(selector.has_value(), c.selector);
    CHECK_EQUAL_TEXT(c.matches, selector->matches(*object), c.selector);
  }
  auto selector = FieldSelector::parse(test_pod(), "spec.nodeName=n1,metadata.name!=x");
  CHECK_EQUAL(std::string("n1"), *selector->equals("spec.nodeName"));
  CHECK(selector->equals("metadata.name") == nullptr);
}

TEST(Selector, says_which_field_cannot_be_selected_by) {
  struct Case {
    const Kind& kind;
    const char* selector;
    const char* error;
  };
  const Case cases[] = {
      {test_pod(), "spec.bogus=1", "field label not supported: spec.bogus"},
      {test_config_map(), "data=1",
       "\"data\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""},
      {test_pod(), "a", "invalid selector: 'a'; can't understand 'a'"},
      {test_pod(), "metadata.name=a=b", "invalid field selector: unescaped character in value: ="},
      {test_pod(), "metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"},
  };
  for (const auto& c : cases) {
    auto selector = FieldSelector::parse(c.kind, c.selector);
    CHECK_FALSE_TEXT(selector.has_value(), c.selector);
    CHECK_TEXT(selector.error().reason == Reason::BadRequest, c.selector);
    CHECK_EQUAL_TEXT(std::string(c.error), selector.error().message, c.selector);
  }
}

TEST(Selector, survives_any_text) {
  SeededRandom random(7);
  constexpr std::string_view alphabet = "ab =!<>(),in\\.\t\xff";
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = random.below(16); n > 0; --n) text += alphabet[random.below(alphabet.size())];
    if (auto selector = LabelSelector::parse(text)) {
      auto again = LabelSelector::parse(selector->text());
      CHECK_TEXT(again.has_value(), text.c_str());
      CHECK_EQUAL_TEXT(selector->text(), again->text(), text.c_str());
    }
    (void)FieldSelector::parse(test_pod(), text);
  }
}

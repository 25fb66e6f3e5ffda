// Tables and ages as kubectl prints them.
#include "api/table.h"

#include "api/json.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Table){};

namespace {

ObjectPtr config_map(const char* name) {
  core::ConfigMap message;
  message.mutable_metadata()->set_name(name);
  (*message.mutable_data())["k"] = "v";
  set_time(*message.mutable_metadata()->mutable_creationtimestamp(), WallTime(1'700'000'000s));
  return make_object(test_config_map(), message);
}

Kind with_columns() {
  Kind kind = test_config_map();
  kind.columns = {{.name = "Name", .format = "name"},
                  {.name = "Data", .type = "integer"},
                  {.name = "More", .description = "shown <wide>", .priority = 1}};
  kind.row = [](const Message& message, WallTime now) -> std::vector<Cell> {
    const auto& map = static_cast<const core::ConfigMap&>(message);
    return {map.metadata().name(), static_cast<std::int64_t>(map.data_size()),
            age_text(from_time(map.metadata().creationtimestamp()), now)};
  };
  return kind;
}

}  // namespace

TEST(Table, has_a_row_for_each_object) {
  const Kind kind = with_columns();
  const std::vector<ObjectPtr> objects = {config_map("a"), config_map("b")};
  CHECK_EQUAL(
      std::string(
          R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"9"},)"
          R"("columnDefinitions":[)"
          R"({"name":"Name","type":"string","format":"name","description":"","priority":0},)"
          R"({"name":"Data","type":"integer","format":"","description":"","priority":0},)"
          R"({"name":"More","type":"string","format":"","description":"shown \u003cwide\u003e",)"
          R"("priority":1}],"rows":[)"
          R"({"cells":["a",1,"5m"],"object":{"kind":"PartialObjectMetadata",)"
          R"("apiVersion":"meta.k8s.io/v1","metadata":{"name":"a",)"
          R"("creationTimestamp":"2023-11-14T22:13:20Z"}}},)"
          R"({"cells":["b",1,"5m"],"object":{"kind":"PartialObjectMetadata",)"
          R"("apiVersion":"meta.k8s.io/v1","metadata":{"name":"b",)"
          R"("creationTimestamp":"2023-11-14T22:13:20Z"}}}]})"),
      table_text(kind, objects, {.resource_version = "9"}, {}, WallTime(1'700'000'300s)));
}

TEST(Table, shows_name_and_creation_of_kinds_without_columns) {
  const std::vector<ObjectPtr> objects = {config_map("a")};
  const std::string text =
      table_text(test_config_map(), objects, {},
                 {.include_object = IncludeObject::None, .version = "v1beta1"}, WallTime());
  CHECK(text.contains(R"("apiVersion":"meta.k8s.io/v1beta1")"));
  CHECK(text.contains(R"("name":"Created At","type":"date")"));
  CHECK(text.contains(R"("rows":[{"cells":["a","2023-11-14T22:13:20Z"],"object":null}])"));
}

TEST(Table, of_a_watch_sends_its_columns_once) {
  const std::vector<ObjectPtr> objects = {config_map("a")};
  const std::string text =
      table_text(test_config_map(), objects, {},
                 {.include_object = IncludeObject::Object, .headers = false}, WallTime());
  CHECK(text.contains(R"("columnDefinitions":null)"));
  CHECK(text.contains(R"("object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a")"));
  CHECK(text.contains(R"("data":{"k":"v"})"));
}

TEST(Table, writes_durations_as_kubectl_does) {
  struct Case {
    Duration span;
    const char* text;
  };
  const Case cases[] = {{-5s, "<invalid>"}, {-1s, "0s"},          {0s, "0s"},
                        {119s, "119s"},     {120s, "2m"},         {125s, "2m5s"},
                        {599s, "9m59s"},    {600s, "10m"},        {179min, "179m"},
                        {3h, "3h"},         {3h + 5min, "3h5m"},  {7h + 59min, "7h59m"},
                        {8h + 59min, "8h"}, {47h, "47h"},         {48h, "2d"},
                        {51h, "2d3h"},      {8 * 24h + 3h, "8d"}, {729 * 24h, "729d"},
                        {730 * 24h, "2y"},  {740 * 24h, "2y10d"}, {3000 * 24h, "8y"}};
  for (const auto& c : cases) CHECK_EQUAL_TEXT(std::string(c.text), duration_text(c.span), c.text);
  CHECK_EQUAL(std::string("<unknown>"), age_text(WallTime(), WallTime(5s)));
}

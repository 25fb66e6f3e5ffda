// Server-side apply: who owns, who may take, what goes when nobody owns it any more.
#include "api/apply.h"

#include "api/kinds.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

// One object, and what is done to it: each call returns the owners (`manager operation fields`, one
// a line) or the error.
TEST_GROUP(Apply) {
  const Kind* kind = &test_config_map();
  ObjectPtr stored;
  int second = 0;
  std::vector<Cause> causes;
  Reason reason = Reason::Unknown;

  WallTime now() {
    return WallTime(std::chrono::seconds(1'700'000'000 + ++second));
  }

  std::string owners() {
    auto message = kind->make_message();
    decode_into(*stored, *message);
    std::string text;
    for (const auto& entry : metadata_of(*message).managedfields()) {
      text += fmt::format("{} {}{} {}\n", entry.manager(), entry.operation(),
                          entry.subresource().empty() ? "" : "/" + entry.subresource(),
                          entry.fieldsv1().raw());
    }
    return text;
  }
  // Without metadata and status.
  std::string content() {
    auto message = kind->make_message();
    decode_into(*stored, *message);
    json::object tree = message_to_json(*message);
    tree.erase("metadata");
    tree.erase("status");
    return to_text(tree);
  }
  std::string keep(std::unique_ptr<Message> message) {
    mutable_metadata_of(*message).set_uid("u");
    stored = make_object(*kind, *message);
    return owners();
  }
  std::string apply(const FieldManager& manager, std::string_view configuration,
                    bool force = false) {
    json::object tree = parse_json(configuration)->tree.as_object();
    tree["apiVersion"] = kind->api_version();
    tree["kind"] = kind->kind;
    auto applied = apply_configuration(*kind, stored.get(), tree, manager, force, now());
    if (applied) return keep(std::move(*applied));
    reason = applied.error().reason;
    if (applied.error().details) causes = applied.error().details->causes;
    return applied.error().message;
  }
  std::string update(const FieldManager& manager, std::string_view text) {
    auto message = kind->make_message();
    std::vector<std::string> unknown;
    CHECK(message_from_json(parse_json(text)->tree.as_object(), *message, unknown).has_value());
    track_update(*kind, stored.get(), *message, manager, now());
    return keep(std::move(message));
  }
};

TEST(Apply, creates_and_owns_exactly_what_was_said) {
  STRCMP_EQUAL(
      "a Apply {\"f:data\":{\"f:x\":{}},\"f:metadata\":{\"f:labels\":{\"f:l\":{}}}}\n",
      apply({"a"}, R"({"metadata":{"name":"n","labels":{"l":"1"}},"data":{"x":"1"}})").c_str());
  STRCMP_EQUAL(R"({"data":{"x":"1"}})", content().c_str());
}

TEST(Apply, again_changes_nothing_not_even_a_time) {
  apply({"a"}, R"({"data":{"x":"1"}})");
  const std::string before = stored->bytes;
  apply({"a"}, R"({"data":{"x":"1"}})");
  CHECK(before == stored->bytes);
}

TEST(Apply, the_same_value_is_shared_and_goes_with_its_last_owner) {
  apply({"a"}, R"({"data":{"x":"1","y":"1"}})");
  STRCMP_EQUAL("a Apply {\"f:data\":{\"f:x\":{},\"f:y\":{}}}\nb Apply {\"f:data\":{\"f:x\":{}}}\n",
               apply({"b"}, R"({"data":{"x":"1"}})").c_str());
  apply({"a"}, R"({"data":{}})");
  STRCMP_EQUAL(R"({"data":{"x":"1"}})", content().c_str());
  STRCMP_EQUAL("", apply({"b"}, R"({})").substr(0, 0).c_str());
  STRCMP_EQUAL("{}", content().c_str());
}

TEST(Apply, another_value_of_anothers_field_is_a_conflict) {
  apply({"a"}, R"({"data":{"x":"1","y":"1"}})");
  STRCMP_EQUAL("Apply failed with 1 conflict: conflict with \"a\": .data.x",
               apply({"b"}, R"({"data":{"x":"2"}})").c_str());
  CHECK(reason == Reason::Conflict);
  CHECK_EQUAL(1, causes.size());
  CHECK_EQUAL("FieldManagerConflict", causes[0].reason);
  CHECK_EQUAL("conflict with \"a\"", causes[0].message);
  CHECK_EQUAL(".data.x", causes[0].field);
  STRCMP_EQUAL("Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\n- .data.y",
               apply({"b"}, R"({"data":{"x":"2","y":"3"}})").c_str());
  CHECK_EQUAL(2, causes.size());
}

TEST(Apply, an_updaters_conflict_names_its_version_and_subresource) {
  apply({"a"}, R"({"data":{"x":"1"}})");
  update({"editor"}, R"({"metadata":{"uid":"u"},"data":{"x":"2"}})");
  STRCMP_EQUAL("Apply failed with 1 conflict: conflict with \"editor\" using v1: .data.x",
               apply({"a"}, R"({"data":{"x":"1"}})").c_str());
  update({"s", "scale"}, R"({"metadata":{"uid":"u"},"data":{"x":"3"}})");
  STRCMP_EQUAL(
      "Apply failed with 1 conflict: conflict with \"s\" with subresource \"scale\" using v1: "
      ".data.x",
      apply({"a"}, R"({"data":{"x":"1"}})").c_str());
}

TEST(Apply, force_takes_over) {
  apply({"a"}, R"({"data":{"x":"1","y":"1"}})");
  STRCMP_EQUAL("a Apply {\"f:data\":{\"f:y\":{}}}\nb Apply {\"f:data\":{\"f:x\":{}}}\n",
               apply({"b"}, R"({"data":{"x":"2"}})", true).c_str());
  STRCMP_EQUAL(R"({"data":{"x":"2","y":"1"}})", content().c_str());
}

TEST(Apply, what_was_there_before_has_an_owner) {
  update({"creator"}, R"({"data":{"x":"1"},"metadata":{"managedFields":[{}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  mutable_metadata_of(*message).clear_managedfields();
  keep(std::move(message));
  STRCMP_EQUAL(
      "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.x",
      apply({"a"}, R"({"data":{"x":"2"}})").c_str());
  STRCMP_EQUAL(
      "a Apply {\"f:data\":{\"f:x\":{}}}\n"
      "before-first-apply Update {\"f:data\":{\".\":{},\"f:x\":{}}}\n",
      apply({"a"}, R"({"data":{"x":"1"}})").c_str());
}

TEST(Apply, items_merge_by_their_keys_in_the_order_of_the_configuration) {
  kind = &test_pod();
  update({"creator"}, R"({"spec":{"containers":[{"name":"own","image":"i"},{"name":"b"}]}})");
  apply({"a"}, R"({"spec":{"containers":[{"name":"c"},{"name":"b","image":"j"},{"name":"a"}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  std::string order;
  for (const auto& container : static_cast<core::Pod&>(*message).spec().containers()) {
    order += container.name() + "=" + container.image() + " ";
  }
  STRCMP_EQUAL("own=i c= b=j a= ", order.c_str());
}

TEST(Apply, a_dropped_item_goes_with_what_nobody_owns_in_it) {
  kind = &test_pod();
  apply({"a"}, R"({"spec":{"containers":[{"name":"x","image":"i"},{"name":"y","image":"i"}]}})");
  auto defaulted = kind->make_message();
  decode_into(*stored, *defaulted);
  auto& pod = static_cast<core::Pod&>(*defaulted);
  pod.mutable_spec()->mutable_containers(1)->set_terminationmessagepath("/dev/termination-log");
  keep(std::move(defaulted));
  apply({"a"}, R"({"spec":{"containers":[{"name":"x","image":"i"}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  CHECK_EQUAL(1, static_cast<core::Pod&>(*message).spec().containers_size());
}

TEST(Apply, a_dropped_item_stays_while_somebody_owns_in_it) {
  kind = &test_pod();
  apply({"a"}, R"({"spec":{"containers":[{"name":"x"},{"name":"y","image":"i"}]}})");
  apply({"b"}, R"({"spec":{"containers":[{"name":"y","image":"i"}]}})");
  apply({"a"}, R"({"spec":{"containers":[{"name":"x"}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  CHECK_EQUAL(2, static_cast<core::Pod&>(*message).spec().containers_size());
}

TEST(Apply, atomic_lists_are_replaced_and_sets_are_shared) {
  kind = &test_pod();
  apply({"a"}, R"({"metadata":{"finalizers":["f/a"]},"spec":{"containers":[],
                   "tolerations":[{"key":"a"}]}})");
  apply({"b"}, R"({"metadata":{"finalizers":["f/b"]}})");
  apply({"a"},
        R"({"metadata":{"finalizers":["f/a"]},"spec":{"tolerations":[{"key":"c"},{"key":"d"}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  CHECK_EQUAL(2, metadata_of(*message).finalizers_size());
  CHECK_EQUAL(2, static_cast<core::Pod&>(*message).spec().tolerations_size());
  apply({"b"}, R"({})");
  decode_into(*stored, *message);
  CHECK_EQUAL(1, metadata_of(*message).finalizers_size());
}

TEST(Apply, a_port_without_protocol_is_the_tcp_one) {
  kind = &test_pod();
  update({"creator"}, R"({"spec":{"containers":[{"name":"x","ports":[
    {"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP"}]}]}})");
  apply({"a"},
        R"({"spec":{"containers":[{"name":"x","ports":[{"containerPort":80,"name":"http"}]}]}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  const auto& ports = static_cast<core::Pod&>(*message).spec().containers(0).ports();
  CHECK_EQUAL(2, ports.size());
  STRCMP_EQUAL("http", ports[0].name().c_str());
}

TEST(Apply, refuses_what_the_schema_does_not_know) {
  kind = &test_deployment();
  struct Case {
    const char *configuration, *why;
  };
  const Case cases[] = {
      {R"({"metadata":{"name":"w","namespace":"d"},"spec":{"replica":1}})",
       "failed to create typed patch object (d/w; apps/v1, Kind=Deployment): .spec.replica: field "
       "not declared in schema"},
      {R"({"spec":{"replicas":"1"}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): .spec.replicas: "
       "expected numeric (int or float), got string"},
      {R"({"spec":{"paused":1,"x":1}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): errors:\n"
       "  .spec.paused: expected boolean, got &value.valueUnstructured{Value:1}\n"
       "  .spec.x: field not declared in schema"},
      {R"({"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): "
       ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]"},
      {R"({"spec":{"template":{"spec":{"containers":[{"image":"a"}]}}}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): "
       ".spec.template.spec.containers: element 0: associative list with keys has an element that "
       "omits key field \"name\" (and doesn't have default value)"},
      {R"({"spec":{"template":{"spec":{"containers":{}}}}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): "
       ".spec.template.spec.containers: expected list, got &value.valueUnstructured{Value:{}}"},
      {R"({"spec":{"template":{"spec":{"tolerations":[{"key":1}]}}}})",
       "failed to create typed patch object (/; apps/v1, Kind=Deployment): "
       ".spec.template.spec.tolerations[0].key: expected string, got "
       "&value.valueUnstructured{Value:1}"},
      {R"({"metadata":{"managedFields":[]}})", "metadata.managedFields must be nil"},
  };
  for (const Case& c : cases) {
    STRCMP_EQUAL_TEXT(c.why, apply({"a"}, c.configuration).c_str(), c.configuration);
  }
  auto other = apply_configuration(*kind, nullptr, {{"apiVersion", "v1"}, {"kind", "Pod"}}, {"a"},
                                   false, now());
  STRCMP_EQUAL("invalid object type: /v1, Kind=Pod", other.error().message.c_str());
  CHECK(other.error().reason == Reason::BadRequest);
}

TEST(Apply, kubectl_may_take_what_it_applied_from_the_clients_side) {
  const char* live = R"({"metadata":{"uid":"u","annotations":{
    "kubectl.kubernetes.io/last-applied-configuration":
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"x\":\"1\",\"y\":\"1\"}}\n"}},
    "data":{"x":"1","y":"changed"}})";
  update({"kubectl-client-side-apply"}, live);
  STRCMP_EQUAL(
      "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1: .data.y",
      apply({"kubectl"}, R"({"data":{"x":"2","y":"3"}})").c_str());
  STRCMP_CONTAINS("conflict", apply({"other"}, R"({"data":{"x":"2"}})").c_str());
  apply({"kubectl"}, R"({"data":{"x":"2"}})");
  auto message = kind->make_message();
  decode_into(*stored, *message);
  STRCMP_EQUAL("{\"apiVersion\":\"v1\",\"data\":{\"x\":\"2\"},\"kind\":\"ConfigMap\"}\n",
               metadata_of(*message)
                   .annotations()
                   .at("kubectl.kubernetes.io/last-applied-configuration")
                   .c_str());
}

// kubectl apply --server-side hands the fields of client-side apply over with a JSON patch that
// writes managedFields; what it left out is then dropped by the next apply.
TEST(Apply, kubectls_migration_from_client_side_apply_drops_what_is_left_out) {
  update({"kubectl-client-side-apply"}, R"({"data":{"x":"1","y":"1"}})");
  apply({"kubectl"}, R"({"data":{"x":"1"}})");
  STRCMP_EQUAL(R"({"data":{"x":"1","y":"1"}})", content().c_str());
  update({"kubectl"}, R"({"metadata":{"uid":"u","managedFields":[{"manager":"kubectl",
    "operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1",
    "fieldsV1":{"f:data":{".":{},"f:x":{},"f:y":{}}}}]},"data":{"x":"1","y":"1"}})");
  apply({"kubectl"}, R"({"data":{"x":"1"}})");
  STRCMP_EQUAL(R"({"data":{"x":"1"}})", content().c_str());
}

// managedFields after creates, updates and status writes, as a real API server leaves them.
#include "api/apply.h"
#include "api/kinds.h"
#include "api/proto/apps/v1.pb.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

const Kind& pod_with_status() {
  static const Kind kind{.group = "",
                         .version = "v1",
                         .kind = "Pod",
                         .plural = "pods",
                         .prototype = &core::Pod::default_instance(),
                         .subresources = {{.name = "status"}}};
  return kind;
}

WallTime at(int second) {
  return WallTime(std::chrono::seconds(1'700'000'000 + second));
}

// Each entry on a line: manager, operation, subresource, second, fields.
std::string owners(const Message& message) {
  std::string text;
  for (const auto& entry : metadata_of(message).managedfields()) {
    text += fmt::format(
        "{} {} {}{}@{} {}\n", entry.manager(), entry.operation(), entry.apiversion(),
        entry.subresource().empty() ? "" : "/" + entry.subresource(),
        entry.has_time() ? entry.time().seconds() - 1'700'000'000 : -1, entry.fieldsv1().raw());
  }
  return text;
}

}  // namespace

// One object on its way through writes.
TEST_GROUP(TrackUpdate) {
  const Kind* kind = &test_config_map();
  std::unique_ptr<Message> now;
  ObjectPtr stored;
  int second = 0;

  std::unique_ptr<Message> read(std::string_view text) {
    auto message = kind->make_message();
    std::vector<std::string> unknown;
    auto filled = message_from_json(parse_json(text)->tree.as_object(), *message, unknown);
    CHECK_TEXT(filled && unknown.empty(), std::string(text).c_str());
    return message;
  }
  // The next state, written by a manager.
  std::string write(std::string_view text, const FieldManager& manager) {
    now = read(text);
    return write_now(manager);
  }
  std::string write_now(const FieldManager& manager) {
    track_update(*kind, stored.get(), *now, manager, at(++second));
    stored = make_object(*kind, *now);
    return owners(*now);
  }
};

TEST(TrackUpdate, a_creator_owns_what_was_sent) {
  STRCMP_EQUAL(
      "kubectl-create Update v1@1 {\"f:data\":{\".\":{},\"f:a\":{}},"
      "\"f:metadata\":{\"f:labels\":{\".\":{},\"f:app\":{}}}}\n",
      write(R"({"metadata":{"name":"x","namespace":"d","uid":"u","labels":{"app":"w"}},
               "data":{"a":"1"}})",
            {"kubectl-create"})
          .c_str());
}

// What `kubectl create deployment web --image=nginx` leaves behind on a real 1.32.
TEST(TrackUpdate, a_deployment_is_owned_as_a_real_server_has_it) {
  kind = &test_deployment();
  STRCMP_EQUAL(
      R"(kubectl-create Update apps/v1@1 {"f:metadata":{"f:labels":{".":{},"f:app":{}}},)"
      R"("f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},)"
      R"("f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},)"
      R"("f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},)"
      R"("f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:image":{},)"
      R"("f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},)"
      R"("f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},)"
      R"("f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}})"
      "\n",
      write(R"({"metadata":{"name":"web","labels":{"app":"web"}},"spec":{"replicas":1,
        "progressDeadlineSeconds":600,"revisionHistoryLimit":10,
        "selector":{"matchLabels":{"app":"web"}},
        "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%",
        "maxUnavailable":"25%"}},
        "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"nginx",
        "image":"nginx","imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log",
        "terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always",
        "schedulerName":"default-scheduler","securityContext":{},
        "terminationGracePeriodSeconds":30}}}})",
            {"kubectl-create"})
          .c_str());
}

TEST(TrackUpdate, an_updater_takes_what_it_changes_and_what_is_gone_is_nobodys) {
  write(R"({"data":{"a":"1","b":"1","c":"1"}})", {"creator"});
  STRCMP_EQUAL(
      "creator Update v1@1 {\"f:data\":{\".\":{},\"f:a\":{}}}\n"
      "editor Update v1@2 {\"f:data\":{\"f:b\":{},\"f:d\":{}}}\n",
      write(R"({"data":{"a":"1","b":"2","d":"1"}})", {"editor"}).c_str());
  // The last of its fields go, and with them the manager.
  STRCMP_EQUAL("creator Update v1@1 {\"f:data\":{\".\":{},\"f:a\":{}}}\n",
               write(R"({"data":{"a":"1"}})", {"third"}).c_str());
  STRCMP_EQUAL("", write(R"({})", {"third"}).c_str());
}

TEST(TrackUpdate, a_write_that_changes_nothing_changes_no_time) {
  const std::string before = write(R"({"data":{"a":"1"}})", {"creator"});
  CHECK_EQUAL(before, write(R"({"data":{"a":"1"}})", {"creator"}));
  CHECK_EQUAL(before, write(R"({"data":{"a":"1"}})", {"other"}));
  STRCMP_EQUAL("creator Update v1@4 {\"f:data\":{\".\":{},\"f:a\":{}}}\n",
               write(R"({"data":{"a":"2"}})", {"creator"}).c_str());
}

TEST(TrackUpdate, status_is_owned_by_who_writes_it_through_status) {
  kind = &pod_with_status();
  write(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]},
           "status":{"phase":"Pending"}})",
        {"kubectl-run"});
  STRCMP_EQUAL(
      "kubectl-run Update v1@1 {\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{"
      "\".\":{},\"f:image\":{},\"f:name\":{},\"f:resources\":{}}}}}\n",
      owners(*now).c_str());
  STRCMP_EQUAL(
      "kubectl-run Update v1@1 {\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{"
      "\".\":{},\"f:image\":{},\"f:name\":{},\"f:resources\":{}}}}}\n"
      "kubelet Update v1/status@2 {\"f:status\":{\"f:conditions\":{\".\":{},"
      "\"k:{\\\"type\\\":\\\"Ready\\\"}\":{\".\":{},\"f:lastProbeTime\":{},"
      "\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}}},\"f:phase\":{}}}\n",
      write(R"({"metadata":{"name":"p"},"spec":{"hostname":"not through here",
               "containers":[{"name":"c","image":"other"}]},
               "status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})",
            {"kubelet", "status"})
          .c_str());
}

TEST(TrackUpdate, items_are_told_by_their_keys_and_defaulted_keys_count) {
  kind = &test_pod();
  write(R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":80},
           {"containerPort":80,"protocol":"UDP"}]}]},"metadata":{"finalizers":["b","a"]}})",
        {"m"});
  STRCMP_EQUAL(
      R"(m Update v1@1 {"f:metadata":{"f:finalizers":{".":{},"v:\"a\"":{},"v:\"b\"":{}}},)"
      R"("f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:ports":{".":{},)"
      R"("k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}},)"
      R"("k:{\"containerPort\":80,\"protocol\":\"UDP\"}":{".":{},"f:containerPort":{},)"
      R"("f:protocol":{}}},"f:resources":{}}}}})"
      "\n",
      owners(*now).c_str());
}

TEST(TrackUpdate, atomic_lists_maps_and_structs_are_one_value) {
  kind = &test_pod();
  write(R"({"spec":{"containers":[{"name":"c","args":["a"]}],"nodeSelector":{"a":"1"},
           "tolerations":[{"key":"a"}]},
           "metadata":{"ownerReferences":[{"uid":"u","name":"n"}]}})",
        {"m"});
  STRCMP_EQUAL(
      R"(m Update v1@1 {"f:metadata":{"f:ownerReferences":{".":{},"k:{\"uid\":\"u\"}":{}}},)"
      R"("f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:args":{},"f:name":{},)"
      R"("f:resources":{}}},"f:nodeSelector":{},"f:tolerations":{}}})"
      "\n",
      owners(*now).c_str());
}

TEST(TrackUpdate, items_of_the_same_keys_count_as_one_value) {
  kind = &test_pod();
  write(R"({"spec":{"containers":[{"name":"c","env":[{"name":"a","value":"1"},
           {"name":"a","value":"2"}]}]}})",
        {"m"});
  CHECK(owners(*now).contains(R"("f:env":{".":{},"k:{\"name\":\"a\"}":{}})"));
  write(R"({"spec":{"containers":[{"name":"c","env":[{"name":"a","value":"1"}]}]}})", {"n"});
  CHECK(owners(*now).contains(
      R"(n Update v1@2 {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{)"
      R"("f:env":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}}}}}})"));
}

TEST(TrackUpdate, an_edited_list_of_managers_stands_and_an_empty_item_clears_it) {
  write(R"({"data":{"a":"1"}})", {"creator"});
  now = read(R"({"data":{"a":"1"},"metadata":{"managedFields":[{"manager":"new","operation":"Apply",
    "apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:b":{},"f:a":{}}}}]}})");
  STRCMP_EQUAL("new Apply v1@-1 {\"f:data\":{\"f:a\":{},\"f:b\":{}}}\n",
               write_now({"editor"}).c_str());
  now = read(R"({"data":{"a":"2"},"metadata":{"managedFields":[{}]}})");
  STRCMP_EQUAL("", write_now({"editor"}).c_str());
  STRCMP_EQUAL("", write(R"({"data":{"a":"3"}})", {"editor"}).c_str());  // untracked until applied
}

TEST(TrackUpdate, a_list_of_managers_that_cannot_be_is_passed_over) {
  const std::string before = write(R"({"data":{"a":"1"}})", {"creator"});
  for (const char* entry :
       {R"({"manager":"x","operation":"Take","apiVersion":"v1","fieldsType":"FieldsV1"})",
        R"({"manager":"x","operation":"Update","fieldsType":"FieldsV1"})",
        R"({"manager":"x","operation":"Update","apiVersion":"v1"})",
        R"({"manager":"x","operation":"Update","apiVersion":"v9","fieldsType":"FieldsV1"})",
        R"({"manager":"x","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1",
            "fieldsV1":{"f:a":1}})"}) {
    now = read(fmt::format(R"({{"data":{{"a":"1"}},"metadata":{{"managedFields":[{}]}}}})", entry));
    CHECK_EQUAL(before, write_now({"editor"}));
  }
}

TEST(TrackUpdate, through_a_subresource_nobody_edits_managers) {
  kind = &pod_with_status();
  write(R"({"metadata":{"name":"p"},"spec":{"hostname":"h"}})", {"creator"});
  const std::string before = owners(*now);
  now = read(R"({"metadata":{"managedFields":[{}]},"spec":{"hostname":"h"}})");
  CHECK_EQUAL(before, write_now({"kubelet", "status"}));
}

TEST(TrackUpdate, of_many_updaters_the_oldest_become_one) {
  json::object data;
  for (int i = 0; i < 15; ++i) {
    data[fmt::format("k{}", i)] = "1";
    write(to_text({{"data", data}}), {fmt::format("m{}", i)});
  }
  const auto& entries = metadata_of(*now).managedfields();
  CHECK_EQUAL(10, entries.size());
  STRCMP_EQUAL("ancient-changes", entries[0].manager().c_str());
  STRCMP_EQUAL(R"({"f:data":{".":{},"f:k0":{},"f:k1":{},"f:k2":{},"f:k3":{},"f:k4":{},"f:k5":{}}})",
               entries[0].fieldsv1().raw().c_str());
  STRCMP_EQUAL("m14", entries[9].manager().c_str());
}

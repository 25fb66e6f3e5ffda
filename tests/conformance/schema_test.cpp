// The schema against tables of Kubernetes' own, field by field.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "api/proto/options.pb.h"
#include "api/schema.h"
#include "tests/conformance/shared.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;

namespace {

// The packages that must be whole.
const std::set<std::string> packages = {
    "k8s.io.api.apps.v1",
    "k8s.io.api.authentication.v1",
    "k8s.io.api.authorization.v1",
    "k8s.io.api.autoscaling.v1",
    "k8s.io.api.autoscaling.v2",
    "k8s.io.api.batch.v1",
    "k8s.io.api.certificates.v1",
    "k8s.io.api.coordination.v1",
    "k8s.io.api.core.v1",
    "k8s.io.api.discovery.v1",
    "k8s.io.api.events.v1",
    "k8s.io.api.networking.v1",
    "k8s.io.api.node.v1",
    "k8s.io.api.policy.v1",
    "k8s.io.api.rbac.v1",
    "k8s.io.api.scheduling.v1",
    "k8s.io.api.storage.v1",
    "k8s.io.apimachinery.pkg.api.resource",
    "k8s.io.apimachinery.pkg.apis.meta.v1",
    "k8s.io.apimachinery.pkg.runtime",
    "k8s.io.apimachinery.pkg.util.intstr",
};

// Findings, so that one run tells all.
struct Differences {
  std::string text;
  int count = 0;
  void expect(const std::string& where, std::string_view what, const std::string& wanted,
              const std::string& got) {
    if (wanted == got) return;
    if (++count <= 20) text += fmt::format("\n{}: {} is {}, not {}", where, what, got, wanted);
  }
};

const Descriptor* find_message(const std::string& package, const std::string& name) {
  return DescriptorPool::generated_pool()->FindMessageTypeByName(package + "." + name);
}

std::string bare_type(const FieldDescriptor& field) {
  if (field.type() != FieldDescriptor::TYPE_MESSAGE) return field.type_name();
  // The table names a message of the same package without it.
  const std::string& package = field.file()->package();
  const std::string& full_name = field.message_type()->full_name();
  const bool same = field.message_type()->file()->package() == package;
  return same ? full_name.substr(package.size() + 1) : full_name;
}

std::string type_of(const FieldDescriptor& field) {
  if (!field.is_map()) return bare_type(field);
  const auto& value = *field.message_type()->map_value();
  std::string name = bare_type(value);
  const std::string own = field.file()->package() + ".";
  if (name.starts_with(own)) name = name.substr(own.size());
  return "map<string," + name + ">";
}

std::string label_of(const FieldDescriptor& field) {
  return field.is_map() ? "map" : field.is_repeated() ? "repeated" : "optional";
}

std::string patch_strategy(const FieldSchema& field) {
  if (field.replace) return "replace";
  return std::string(field.merge ? "merge" : "") + (field.merge && field.retain_keys ? "," : "") +
         (field.retain_keys ? "retainKeys" : "");
}

std::string list_type(const FieldSchema& field) {
  if (field.cardinality != Cardinality::List) return "";
  return field.list_type == ListType::Map ? "map" : field.list_type == ListType::Set ? "set" : "";
}

std::string joined(const std::vector<std::string>& keys) {
  std::string text;
  for (const auto& key : keys) text += (text.empty() ? "" : ",") + key;
  return text;
}

// A constant's name stands for its value in the table.
std::string default_of(const Row& row) {
  const std::string& text = row.at("default");
  if (text == "ref(AzureDataDiskCachingReadWrite)") return "\"ReadWrite\"";
  if (text == "ref(AzureSharedBlobDisk)") return "\"Shared\"";
  return text;
}

void compare(const Row& row, const FieldSchema& field, Differences& differences) {
  const std::string where = row.at("package") + "." + row.at("message") + "." + row.at("proto");
  auto expect = [&](std::string_view what, const std::string& wanted, const std::string& got) {
    differences.expect(where, what, wanted, got);
  };
  const std::string& json = row.at("json");
  expect("name", row.at("proto"), field.field->name());
  expect("number", row.at("number"), std::to_string(field.number));
  expect("label", row.at("label"), label_of(*field.field));
  expect("type", row.at("type"), type_of(*field.field));
  expect("inline", json == "(inline)" ? "yes" : "no", field.inlined ? "yes" : "no");
  if (!json.starts_with('(')) expect("JSON name", json, field.name);
  if (row.at("gokind") != "?") {
    expect("pointer", row.at("gokind"), field.pointer ? "ptr" : "val");
    if (!json.starts_with('(')) {
      expect("omitempty", row.at("omitempty"), field.always ? "no" : "yes");
      const bool required = row.at("omitempty") == "no" && row.at("marker") != "optional";
      expect("required", required ? "yes" : "no", field.required ? "yes" : "no");
    }
  }
  expect("patch strategy", row.at("patchStrategy"), patch_strategy(field));
  expect("merge key", row.at("patchMergeKey"), field.merge_key);
  const std::string& type = row.at("listType");
  expect("list type", type == "map" || type == "set" ? type : "", list_type(field));
  expect("list keys", row.at("listMapKey"), joined(field.list_keys));
  expect("default", default_of(row), field.default_value);
}

const FieldSchema* own_field(const MessageSchema& schema, const std::string& proto_name) {
  for (const FieldSchema& field : schema.fields) {
    if (field.field->name() == proto_name) return &field;
  }
  return nullptr;
}

}  // namespace

TEST_GROUP(Schema){};

TEST(Schema, has_every_field_of_the_table_as_it_is_there) {
  const auto path = shared_file("k8s/fields.tsv");
  if (!path) return;
  Differences differences;
  int compared = 0;
  for (const Row& row : read_table(*path)) {
    if (!packages.contains(row.at("package"))) continue;
    const std::string where = row.at("package") + "." + row.at("message");
    const Descriptor* message = find_message(row.at("package"), row.at("message"));
    differences.expect(where, "message", "there", message ? "there" : "missing");
    if (!message || row.at("proto").empty()) continue;  // Patch has no fields
    const FieldSchema* field = own_field(schema_of(*message), row.at("proto"));
    differences.expect(where + "." + row.at("proto"), "field", "there",
                       field ? "there" : "missing");
    if (!field) continue;
    compare(row, *field, differences);
    ++compared;
  }
  CHECK_EQUAL(std::string(), differences.text);
  CHECK(compared > 1'500);
}

TEST(Schema, has_no_field_that_the_table_has_not) {
  const auto path = shared_file("k8s/fields.tsv");
  if (!path) return;
  std::set<std::string> known, messages;
  for (const Row& row : read_table(*path)) {
    const std::string message = row.at("package") + "." + row.at("message");
    messages.insert(message);
    known.insert(message + "." + row.at("proto"));
  }
  std::string surplus;
  for (const std::string& message : messages) {
    const auto* descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(message);
    for (int i = 0; descriptor && i < descriptor->field_count(); ++i) {
      const std::string& name = descriptor->field(i)->full_name();
      if (!known.contains(name)) surplus += "\n" + name;
    }
  }
  CHECK_EQUAL(std::string(), surplus);
}

TEST(Schema, knows_what_apply_treats_as_one_value) {
  const auto path = shared_file("k8s/atomic.tsv");
  if (!path) return;
  Differences differences;
  for (const Row& row : read_table(*path)) {
    if (!packages.contains(row.at("package"))) continue;
    const std::string where = row.at("package") + "." + row.at("message") + "." + row.at("json");
    const Descriptor* message = find_message(row.at("package"), row.at("message"));
    if (!message) continue;
    const MessageSchema& schema = schema_of(*message);
    const FieldSchema* field = row.at("json").empty() ? nullptr : schema.find(row.at("json"));
    const bool atomic = field ? field->atomic : schema.atomic;
    differences.expect(where, row.at("kind"), row.at("value"), atomic ? "atomic" : "granular");
  }
  CHECK_EQUAL(std::string(), differences.text);
}

TEST(Schema, writes_always_what_go_always_writes) {
  const auto path = shared_file("k8s/json_always_emitted.txt");
  if (!path) return;
  std::string missing;
  int compared = 0;
  for (const std::string& line : read_lines(*path)) {
    // "apps/v1 Deployment.spec *DeploymentSpec"
    std::string package = line.substr(0, line.find(' '));
    const std::string field_text = line.substr(package.size() + 1);
    const std::string message_name = field_text.substr(0, field_text.find('.'));
    const std::string name =
        field_text.substr(message_name.size() + 1, field_text.find(' ') - message_name.size() - 1);
    std::ranges::replace(package, '/', '.');
    package = (package.starts_with("pkg") ? "k8s.io.apimachinery." : "k8s.io.api.") + package;
    const Descriptor* message = find_message(package, message_name);
    if (!message || !packages.contains(package)) continue;
    const FieldSchema* field = schema_of(*message).find(name);
    if (!field || !field->always) missing += "\n" + line;
    ++compared;
  }
  CHECK_EQUAL(std::string(), missing);
  CHECK(compared > 400);
}

// Without the tables: what a codec most depends on.
TEST(Schema, flattens_inlined_messages) {
  const MessageSchema& probe = schema_of(*find_message("k8s.io.api.core.v1", "Probe"));
  const NamedField* http = probe.lookup("httpGet");
  CHECK(http != nullptr);
  LONGS_EQUAL(1, http->through.size());
  CHECK_EQUAL(std::string("handler"), http->through[0]->field->name());
  CHECK(probe.lookup("handler") == nullptr);
  CHECK(probe.find("periodSeconds") != nullptr);
}

TEST(Schema, knows_how_lists_merge) {
  const MessageSchema& container = schema_of(*find_message("k8s.io.api.core.v1", "Container"));
  const FieldSchema& ports = *container.find("ports");
  CHECK(ports.merge);
  CHECK_EQUAL(std::string("containerPort"), ports.merge_key);
  CHECK_EQUAL(std::string("containerPort,protocol"), joined(ports.list_keys));
  CHECK_EQUAL(std::string("\"TCP\""), ports.message->find("protocol")->default_value);
  CHECK(container.find("command")->atomic);
  CHECK_FALSE(container.find("command")->merge);
}

TEST(Schema, knows_which_messages_have_a_kind) {
  auto has = [](const char* package, const char* name) {
    return schema_of(*find_message(package, name)).has_type_meta;
  };
  CHECK(has("k8s.io.api.core.v1", "Pod"));
  CHECK(has("k8s.io.api.core.v1", "PodList"));
  CHECK(has("k8s.io.api.core.v1", "PersistentVolumeClaim"));
  CHECK(has("k8s.io.apimachinery.pkg.apis.meta.v1", "DeleteOptions"));
  CHECK_FALSE(has("k8s.io.api.core.v1", "PodTemplateSpec"));
  CHECK_FALSE(has("k8s.io.api.core.v1", "SELinuxOptions"));
}

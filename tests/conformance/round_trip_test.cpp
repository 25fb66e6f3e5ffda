// Every message that has metadata comes back from each of its forms as it was.
#include <algorithm>
#include <memory>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "api/json.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "tests/conformance/random_message.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using google::protobuf::Descriptor;
using google::protobuf::MessageFactory;

namespace {

constexpr std::uint64_t seed = 20'251'128;
constexpr int rounds = 40;

// Any file leads to all: kinds are the messages with metadata in the files of k8s.io/api.
std::vector<const Descriptor*> kinds() {
  std::vector<const Descriptor*> found;
  const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
  for (const char* name : {"apps/v1",
                           "authentication/v1",
                           "authorization/v1",
                           "autoscaling/v1",
                           "autoscaling/v2",
                           "batch/v1",
                           "certificates/v1",
                           "coordination/v1",
                           "core/v1/config_map",
                           "core/v1/endpoints",
                           "core/v1/event",
                           "core/v1/misc",
                           "core/v1/namespace",
                           "core/v1/node",
                           "core/v1/persistent_volume",
                           "core/v1/pod",
                           "core/v1/pod_options",
                           "core/v1/pod_template",
                           "core/v1/quota",
                           "core/v1/replication_controller",
                           "core/v1/secret",
                           "core/v1/service",
                           "core/v1/service_account",
                           "discovery/v1",
                           "events/v1",
                           "meta/v1/object_meta",
                           "meta/v1/options",
                           "meta/v1/status",
                           "networking/v1",
                           "node/v1",
                           "policy/v1",
                           "rbac/v1",
                           "scheduling/v1",
                           "storage/v1"}) {
    const auto* file = pool.FindFileByName(std::string("api/proto/") + name + ".proto");
    CHECK_TEXT(file != nullptr, name);
    for (int i = 0; i < file->message_type_count(); ++i) {
      if (schema_of(*file->message_type(i)).has_type_meta) found.push_back(file->message_type(i));
    }
  }
  return found;
}

std::unique_ptr<Message> make(const Descriptor& descriptor) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(&descriptor)->New());
}

// Fails with the kind's name and the round.
void check_equal(const std::string& wanted, const std::string& got, const Message& message,
                 int round) {
  if (wanted == got) return;
  FAIL(fmt::format("{} round {}: {} bytes, not {}\n{}", message.GetTypeName(), round, got.size(),
                   wanted.size(), message.ShortDebugString().substr(0, 2'000))
           .c_str());
}

}  // namespace

TEST_GROUP(RoundTrip){template <typename Check>
                      void each_message(Check check){const auto all = kinds();
CHECK(all.size() > 90);
SeededRandom random(seed);
for (const Descriptor* kind : all) {
  for (int round = 0; round < rounds; ++round) {
    auto message = make(*kind);
    fill_at_random(*message, random);
    check(*message, round);
  }
}
}
}
;

TEST(RoundTrip, through_json) {
  each_message([](Message& message, int round) {
    const std::string text = message_to_json_text(message);
    auto document = parse_json(text);
    CHECK_TEXT(document.has_value(), text.c_str());
    CHECK(document->duplicates.empty());
    auto back = make(*message.GetDescriptor());
    std::vector<std::string> unknown;
    auto read = message_from_json(document->tree.as_object(), *back, unknown);
    CHECK_TEXT(read.has_value(), read ? "" : read.error().message.c_str());
    CHECK_TEXT(unknown.empty(), unknown.empty() ? "" : unknown[0].c_str());
    check_equal(canonical_bytes(message), canonical_bytes(*back), message, round);
    check_equal(text, message_to_json_text(*back), message, round);
    check_equal(text, to_text(message_to_json(message)), message, round);
    // What was read is in normal form already.
    check_equal(back->SerializeAsString().size() == canonical_bytes(*back).size() ? "" : "longer",
                "", message, round);
  });
}

TEST(RoundTrip, through_protobuf_as_go_sends_it) {
  each_message([](Message& message, int round) {
    const std::string wanted = canonical_bytes(message);
    auto sent = make(*message.GetDescriptor());
    sent->CopyFrom(message);
    set_zeros(*sent);
    auto back = make(*message.GetDescriptor());
    auto canonical = message_from_protobuf(sent->SerializeAsString(), *back);
    CHECK_TEXT(canonical.has_value(), canonical ? "" : canonical.error().message.c_str());
    check_equal(wanted, *canonical, message, round);
    check_equal(wanted, canonical_bytes(*back), message, round);
  });
}

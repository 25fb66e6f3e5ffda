// Rows take any message: what a client may send is not what we expect. Prints its seed.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdio>
#include <random>

#include "api/kinds.h"
#include "api/names.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using google::protobuf::FieldDescriptor;

namespace {

// Fills messages with values that rows may trip over: empty, odd, too long, at the ends of ranges.
class Filler {
 public:
  explicit Filler(unsigned seed) : bits_(seed) {}

  void fill(Message& message, int depth) {
    const auto& descriptor = *message.GetDescriptor();
    for (int i = 0; i < descriptor.field_count(); ++i) {
      if (below(3) == 0) fill_field(message, *descriptor.field(i), depth);
    }
  }

 private:
  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(bits_() % count); }

  void fill_field(Message& message, const FieldDescriptor& field, int depth) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && depth == 0) return;
    const std::uint32_t count = field.is_repeated() ? below(3) : 1;
    for (std::uint32_t i = 0; i < count; ++i) fill_value(message, field, depth);
  }

  void fill_value(Message& message, const FieldDescriptor& field, int depth) {
    const auto& reflection = *message.GetReflection();
    const bool is_list = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        fill(is_list ? *reflection.AddMessage(&message, &field)
                     : *reflection.MutableMessage(&message, &field),
             depth - 1);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        if (is_list) {
          reflection.AddString(&message, &field, text());
        } else {
          reflection.SetString(&message, &field, text());
        }
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!is_list) reflection.SetBool(&message, &field, below(2) == 0);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        if (!is_list) reflection.SetInt32(&message, &field, static_cast<std::int32_t>(number()));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        if (is_list) {
          reflection.AddInt64(&message, &field, number());
        } else {
          reflection.SetInt64(&message, &field, number());
        }
        break;
      default:
        break;
    }
  }

  std::string text() {
    static const std::vector<std::string> texts = {
        "",          "a",         "A",           "a.b",
        "..",        "../a",      "a b",         "1",
        "-1",        "9E",        "1e30",        "100m",
        "2Mi",       "Always",    "None",        "IPv4",
        "10.0.0.1",  "::1",       "/",           "a/b",
        "a/b/c",     "ClusterIP", "NodePort",    "ExternalName",
        "In",        "Exists",    "25%",         "Local",
        "Localhost", "Recreate",  "hugepages-0", "hugepages-2Mi",
        "['",        "a['']",     "\xc3\xa4"};
    return below(20) == 0 ? std::string(300, 'x')
                          : texts[below(static_cast<unsigned>(texts.size()))];
  }

  std::int64_t number() {
    static constexpr std::int64_t numbers[] = {
        0, 1, -1, 2, 80, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 31, 100};
    return numbers[below(std::size(numbers))];
  }

  std::mt19937 bits_;
};

// All that a registry may call, in its order.
void call_all(const Kind& kind, const Message& before, Message& message) {
  std::vector<std::string> warnings;
  FieldErrors errors;
  const WallTime now(std::chrono::seconds(1'700'000'000));
  if (kind.row) kind.row(message, now);
  if (kind.set_defaults) kind.set_defaults(message);
  if (kind.prepare_create) kind.prepare_create(message);
  check_metadata(kind, metadata_of(message), errors);
  if (kind.validate) kind.validate(message, errors);
  if (kind.warn) kind.warn(message, warnings);
  if (kind.prepare_update) kind.prepare_update(before, message);
  check_metadata_update(metadata_of(before), metadata_of(message), errors);
  if (kind.validate_update) kind.validate_update(before, message, errors);
  if (kind.prepare_status_update) kind.prepare_status_update(before, message);
  if (kind.validate_status_update) kind.validate_status_update(before, message, errors);
  if (kind.grace_period_seconds) kind.grace_period_seconds(message);
  for (const SelectableField& field : kind.selectable_fields) field.value(message);
  if (kind.facts) CHECK(kind.facts(message) != nullptr);
  if (kind.row) LONGS_EQUAL(kind.columns.size(), kind.row(message, now).size());
}

}  // namespace

TEST_GROUP(RandomObjects){};

TEST(RandomObjects, pass_through_every_row) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  Filler filler(seed);
  for (int round = 0; round < 150; ++round) {
    for (const Kind* kind : all_kinds()) {
      const auto before = kind->make_message();
      const auto after = kind->make_message();
      filler.fill(*before, 8);
      filler.fill(*after, 8);
      call_all(*kind, *before, *after);
      const auto again = kind->make_message();
      again->CopyFrom(*after);
      call_all(*kind, *after, *again);
    }
  }
}

TEST(RandomObjects, get_the_same_defaults_twice) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  Filler filler(seed);
  for (int round = 0; round < 100; ++round) {
    for (const Kind* kind : all_kinds()) {
      if (!kind->set_defaults) continue;
      const auto once = kind->make_message();
      filler.fill(*once, 8);
      kind->set_defaults(*once);
      const std::string bytes = canonical_bytes(*once);
      kind->set_defaults(*once);
      CHECK_TEXT(bytes == canonical_bytes(*once), std::string(kind->kind).c_str());
    }
  }
}

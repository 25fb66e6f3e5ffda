// Decoders against damaged input: nothing crashes, hangs or lies. Goal: what a client, a disk or a
// pod may send. Method: whole documents, changed at random from one seed; the invariants of each
// decoder are checked on whatever it accepts. (Runs under the sanitizers too.)
#include <limits>

#include <google/protobuf/message.h>

#include "api/json.h"
#include "api/proto/apps/v1.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/protobuf.h"
#include "api/quantity.h"
#include "api/schema.h"
#include "api/time_text.h"
#include "base/random.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr std::uint64_t seed = 1;

constexpr std::string_view json_seeds[] = {
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"x":"y"},)"
    R"("creationTimestamp":"2024-01-02T03:04:05Z","managedFields":[{"fieldsV1":{"f:a":{}}}]},)"
    R"("spec":{"containers":[{"name":"c","ports":[{"containerPort":80}],"resources":)"
    R"({"limits":{"cpu":"100m","memory":1e3}},"livenessProbe":{"httpGet":{"port":"http"}}}],)"
    R"("volumes":[{"name":"v","configMap":{"name":"c","defaultMode":420}}]}})",
    R"({"spec":{"replicas":3,"strategy":{"rollingUpdate":{"maxSurge":"25%"}}},"a":[1.5,-2,true]})",
    R"([null,"\u00e9\ud83d\ude00\n",{"a":{"a":{"a":[]}}},1e400,-0,18446744073709551615])",
};

constexpr std::string_view yaml_seeds[] = {
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {x: y, z: '1'}\nspec:\n"
    "  containers:\n  - name: c\n    args: [\"a\", b, 0644]\n    env:\n    - {name: A, value: |\n"
    "        x}\n",
    "a: &a [1, 2.5, ~, yes]\nb: *a\nc: &m {x: 1}\nd:\n  <<: *m\n  y: \"\\u00e9\"\n--- # next\n",
    "? a\n: >-\n  folded\n  text\n!!str k: !custom v\n\"q\": 'it''s'\n",
};

constexpr std::string_view words[] = {
    "\"",         "\\",  "{",  "}", "[", "]",  ":",    ",",
    "null",       "\\u", "-",  "0", "e", "\n", " ",    "\t",
    "&a",         "*a",  "<<", "|", ">", "#",  "\xff", std::string_view("\0", 1),
    "9999999999", "---"};

// One to four changes: bytes flipped, pieces removed, doubled or moved, words put in.
std::string mutate(std::string text, Random& random) {
  for (auto n = 1 + random.below(4); n > 0; --n) {
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t length = random.below(std::min<std::size_t>(text.size() - at + 1, 24));
    switch (random.below(5)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.next());
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.insert(random.below(text.size() + 1), text.substr(at, length));
        break;
      default:
        text.insert(at, words[random.below(std::size(words))]);
    }
  }
  return text;
}

// What is true of every document that was accepted.
void check_document(const Document& document, const std::string& input) {
  const std::string text = to_text(document.tree);
  auto again = parse_json(text);
  CHECK_TEXT(again.has_value(), input.c_str());
  CHECK_EQUAL_TEXT(text, to_text(again->tree), input.c_str());
}

template <typename T>
void check_message_from(const json::value& tree) {
  if (!tree.is_object()) return;
  T message;
  std::vector<std::string> unknown;
  if (!message_from_json(tree.get_object(), message, unknown)) return;
  const std::string text = message_to_json_text(message);
  T back;
  CHECK(message_from_json(parse_json(text)->tree.as_object(), back, unknown).has_value());
  CHECK_EQUAL(text, message_to_json_text(back));
}

}  // namespace

TEST_GROUP(Mutation) {
  SeededRandom random{seed};
  template <std::size_t N, typename Check>
  void each(const std::string_view(&seeds)[N], int count, Check check) {
    for (int i = 0; i < count; ++i) check(mutate(std::string(seeds[random.below(N)]), random));
  }
};

TEST(Mutation, of_json) {
  int accepted = 0;
  each(json_seeds, 20'000, [&](const std::string& text) {
    auto document = parse_json(text);
    CHECK_EQUAL_TEXT(document.has_value(), is_json(text), text.c_str());
    if (!document) return;
    ++accepted;
    check_document(*document, text);
    check_message_from<core::Pod>(document->tree);
    check_message_from<apps::Deployment>(document->tree);
  });
  CHECK(accepted > 500);
}

TEST(Mutation, of_yaml) {
  int accepted = 0;
  each(yaml_seeds, 10'000, [&](const std::string& text) {
    auto document = parse_yaml(text);
    if (!document) return;
    ++accepted;
    check_document(*document, text);
    check_message_from<core::Pod>(document->tree);
  });
  CHECK(accepted > 500);
}

TEST(Mutation, of_protobuf) {
  std::vector<std::string> unknown;
  core::Pod pod;
  CHECK(message_from_json(parse_json(json_seeds[0])->tree.as_object(), pod, unknown).has_value());
  const std::string envelope = to_envelope("v1", "Pod", pod.SerializeAsString());
  const std::string frame = watch_frame("ADDED", envelope);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto parsed_frame = parse_watch_frame(mutate(frame, random), 1'000'000);
    const std::string bytes = parsed_frame ? parsed_frame->envelope : mutate(envelope, random);
    auto parsed = from_envelope(bytes);
    if (!parsed) continue;
    core::Pod message;
    auto canonical = message_from_protobuf(parsed->raw, message);
    if (!canonical) continue;
    ++accepted;
    CHECK_EQUAL(*canonical, canonical_bytes(message));
    auto object = parse_object(test_pod(), *canonical);
    CHECK(object.has_value());
    CHECK_EQUAL(*canonical, (*object)->bytes);
    CHECK(is_json(object_to_json_text(**object)));
  }
  CHECK(accepted > 500);
}

TEST(Mutation, of_raw_bytes_as_messages) {
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (auto n = random.below(40); n > 0; --n) {
      // Small numbers make tags and lengths that fit more often.
      bytes += static_cast<char>(random.below(2) ? random.below(48) : random.next());
    }
    core::Pod message;
    if (auto canonical = message_from_protobuf(bytes, message)) {
      CHECK(is_json(message_to_json_text(message)));
    }
    (void)from_envelope("k8s" + std::string(1, '\0') + bytes);
    (void)parse_watch_frame(bytes, 1'000);
  }
}

TEST(Mutation, of_quantities_times_and_durations) {
  constexpr std::string_view seeds[] = {
      "100m",     "1.5Gi", "-12e6", "0.000000001", "1E", "+5Ki", "2024-02-29T23:59:59.123456-07:30",
      "1h2m3.5s", "-1us"};
  each(seeds, 50'000, [&](const std::string& text) {
    if (auto quantity = Quantity::parse(text)) {
      auto again = Quantity::parse(quantity->text());
      CHECK_TEXT(again.has_value(), text.c_str());
      CHECK_EQUAL_TEXT(quantity->text(), again->text(), text.c_str());
      CHECK_TEXT(quantity->value() == again->value(), text.c_str());
    }
    if (auto time = parse_time(text, true)) {
      std::string written;
      append_time(written, *time, true);
      CHECK_TEXT(parse_time(written, true)->seconds == time->seconds, text.c_str());
    }
    if (auto span = parse_go_duration(text)) {
      CHECK_TEXT(parse_go_duration(go_duration_text(*span)) == *span, text.c_str());
    }
  });
}

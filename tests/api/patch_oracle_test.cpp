// Patches against upstream's own code: random documents and patches, and the result must be the
// same tree.
#include <cstdio>

#include "api/patch.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "tests/api/kubectl_patch.h"
#include "tests/api/random_document.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr int documents_per_patch = 12;

// KEELSON_SEED=n looks at others.
std::uint64_t first_seed() {
  const char* seed = std::getenv("KEELSON_SEED");
  return seed ? std::strtoull(seed, nullptr, 10) : 1;
}

const Kind& service() {
  static const Kind kind{.group = "",
                         .version = "v1",
                         .kind = "Service",
                         .plural = "services",
                         .prototype = &core::Service::default_instance()};
  return kind;
}

std::vector<json::object> draw_documents(const Kind& kind, Random& random) {
  std::vector<json::object> documents;
  for (int i = 0; i < documents_per_patch; ++i) {
    documents.push_back(random_document(kind, {.random = random}));
  }
  return documents;
}

// A null is as good as nothing, and which of both is left differs.
void drop_nulls(json::value& value) {
  if (json::object* object = value.if_object()) {
    for (auto at = object->begin(); at != object->end();) {
      if (at->value().is_null()) {
        at = object->erase(at);
      } else {
        drop_nulls(at++->value());
      }
    }
  } else if (json::array* array = value.if_array()) {
    for (json::value& item : *array) drop_nulls(item);
  }
}

using Ours = Result<json::value> (*)(const Kind& kind, const json::value&, const json::value&);

void compare(std::string_view type, const Kind& kind, const std::vector<json::object>& documents,
             const json::value& patch, Ours ours) {
  auto theirs = kubectl_patch(type, documents, patch);
  if (!theirs) {
    if (std::getenv("KEELSON_VERBOSE"))
      std::printf("refused: %s\n", theirs.error().message.c_str());
    for (const json::object& document : documents) {
      if (!ours(kind, document, patch)) return;
    }
    FAIL(fmt::format("only kubectl refuses: {}\n{}", theirs.error().message, to_text(patch))
             .c_str());
  }
  CHECK_EQUAL(documents.size(), theirs->size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto mine = ours(kind, documents[i], patch);
    if (!mine) FAIL(fmt::format("only we refuse: {}", mine.error().message).c_str());
    drop_nulls(*mine);
    drop_nulls((*theirs)[i]);
    if (*mine == (*theirs)[i]) continue;
    FAIL(fmt::format("from seed {}:\ndocument {}\npatch {}\nkubectl {}\nkeelson {}", first_seed(),
                     to_text(documents[i]), to_text(patch), to_text((*theirs)[i]), to_text(*mine))
             .c_str());
  }
}

bool skip() {
  if (has_kubectl()) return false;
  std::printf("skipped: kubectl is not on the PATH\n");
  return true;
}

}  // namespace

TEST_GROUP(PatchOracle){};

TEST(PatchOracle, strategic_merge_is_as_upstream_has_it) {
  if (skip()) return;
  const Kind* kinds[] = {&test_pod(), &test_deployment(), &service()};
  for (std::uint64_t round = 0; round < 12; ++round) {
    SeededRandom random(first_seed() + round);
    const Kind& kind = *kinds[round % 3];
    const json::value patch = random_document(kind, {.random = random, .directives = true});
    compare("strategic", kind, draw_documents(kind, random), patch, strategic_merge_patch);
  }
}

TEST(PatchOracle, merge_patch_is_as_upstream_has_it) {
  if (skip()) return;
  for (std::uint64_t round = 0; round < 3; ++round) {
    SeededRandom random(first_seed() + round);
    const Kind& kind = test_deployment();
    json::object patch = random_document(kind, {.random = random, .directives = true});
    compare("merge", kind, draw_documents(kind, random), patch,
            [](const Kind&, const json::value& document, const json::value& change) {
              return merge_patch(document, change);
            });
  }
}

TEST(PatchOracle, json_patch_is_as_upstream_has_it) {
  if (skip()) return;
  const char* patches[] = {
      R"([{"op":"add","path":"/metadata/labels","value":{"x/y":"1"}},
          {"op":"test","path":"/metadata/labels/x~1y","value":"1"},
          {"op":"move","from":"/metadata/labels/x~1y","path":"/metadata/labels/m~0n"}])",
      R"([{"op":"replace","path":"/metadata/annotations","value":{"a":"b"}},
          {"op":"copy","from":"/metadata/annotations","path":"/metadata/labels"}])",
      R"([{"op":"add","path":"/spec","value":{"l":[1,2,3]}},
          {"op":"add","path":"/spec/l/-","value":4},{"op":"add","path":"/spec/l/0","value":0},
          {"op":"remove","path":"/spec/l/-1"},{"op":"replace","path":"/spec/l/1","value":9},
          {"op":"add","path":"/spec/l/-1","value":8}])",
      R"([{"op":"test","path":"/metadata/nothing","value":null},{"op":"remove","path":"/kind2"}])",
      R"([{"op":"add","path":"/no/where","value":1}])",
      R"([{"op":"add","path":"/metadata/l","value":[1]},
          {"op":"add","path":"/metadata/l/3","value":1}])",
      R"([{"op":"copy","from":"/metadata/nothing","path":"/metadata/x"}])",
      R"([{"op":"jump","path":"/metadata/x"}])"};
  SeededRandom random(first_seed());
  for (const char* text : patches) {
    compare("json", test_pod(), {random_document(test_pod(), {.random = random})},
            parse_json(text)->tree,
            [](const Kind&, const json::value& document, const json::value& change) {
              return json_patch(document, change);
            });
  }
}

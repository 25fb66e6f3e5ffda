// Documents and patches of a kind, drawn from its schema and a seed, so that two of them often meet
// at the same fields and items.
#pragma once

#include "api/json.h"
#include "api/kinds.h"
#include "base/random.h"

namespace keelson {

struct RandomDocument {
  Random& random;
  int depth = 7;             // of nested messages
  bool directives = false;   // a strategic merge patch: $patch, $setElementOrder, …, and nulls
  std::uint64_t often = 30;  // per cent of the fields that are there
};

// With apiVersion, kind and metadata.name; without status unless asked for.
json::object random_document(const Kind& kind, const RandomDocument& how);

}  // namespace keelson

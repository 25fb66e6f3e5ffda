// What `kubectl get` prints: meta.k8s.io/v1 Table, made from a kind's columns.
#pragma once

#include <span>

#include "api/json.h"
#include "api/kinds.h"

namespace keelson {

enum class IncludeObject { None, Metadata, Object };

struct TableOptions {
  IncludeObject include_object = IncludeObject::Metadata;
  bool headers = true;              // a watch sends columnDefinitions in its first event only
  std::string_view version = "v1";  // of meta.k8s.io: "v1" or "v1beta1"
};

// resource_version, continue_token and remaining go to the table's metadata; empty or negative:
// left out.
struct TableMetadata {
  std::string resource_version;
  std::string continue_token;
  std::int64_t remaining = -1;
};

std::string table_text(const Kind& kind, std::span<const ObjectPtr> objects,
                       const TableMetadata& metadata, const TableOptions& options, WallTime now);

// "5m", "2d3h", "<unknown>": how kubectl writes the time since.
std::string age_text(WallTime since, WallTime now);
std::string duration_text(Duration span);

}  // namespace keelson

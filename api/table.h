// What `kubectl get` prints: meta.k8s.io/v1 Table, made from a kind's columns.
#pragma once

#include <span>

#include "api/kinds.h"
#include "api/list.h"

namespace keelson {

enum class IncludeObject { None, Metadata, Object };

struct TableOptions {
  IncludeObject include_object = IncludeObject::Metadata;
  bool headers = true;              // a watch sends columnDefinitions in its first event only
  std::string_view version = "v1";  // of meta.k8s.io: "v1" or "v1beta1"
};

// Head, rows with a comma between them, and "]}" make a table; all at once: table_text.
std::string table_head(const Kind& kind, const ListMetadata& metadata, const TableOptions& options);
// Rows of the objects, with commas between them and before them where one is missing; each is
// decoded, for cells are made from messages.
void append_table_rows(std::string& out, const Kind& kind, std::span<const ObjectPtr> objects,
                       const TableOptions& options, WallTime now);
std::string table_text(const Kind& kind, std::span<const ObjectPtr> objects,
                       const ListMetadata& metadata, const TableOptions& options, WallTime now);

// "5m", "2d3h", "<unknown>": how kubectl writes the time since; a time of 0 is unknown.
std::string age_text(WallTime since, WallTime now);
std::string duration_text(Duration span);

}  // namespace keelson

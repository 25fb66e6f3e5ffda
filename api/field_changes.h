// What differs between two states of an object, as sets of fields.
#pragma once

#include <string_view>

#include "api/field_set.h"

namespace keelson {

struct Kind;
struct MessageSchema;

struct FieldChanges {
  FieldSet changed;  // new, or with another value
  FieldSet removed;
  bool empty() const { return changed.empty() && removed.empty(); }
};

// Both in canonical or ordered bytes (api/protobuf.h); before is empty for an object that was not
// there. Left
// out is what nobody owns (metadata that the server writes), and what cannot be written through
// this subresource: status, or spec through /status. The sets point into the bytes and the pool.
FieldChanges changes_between(const Kind& kind, std::string_view before, std::string_view after,
                             std::string_view subresource, TextPool& pool);

// The fields of the root that a write through the subresource leaves alone.
bool is_reset(const Kind& kind, std::string_view subresource, std::string_view root_field);
// The fields of metadata that nobody owns.
bool is_server_metadata(std::string_view field);

}  // namespace keelson

// A list of stored objects as it is sent: PodList and its kin. Made from the objects' bytes, in
// pieces, so that a big one needs neither decoding nor one long turn.
#pragma once

#include <span>
#include <string>

#include "api/kinds.h"

namespace keelson {

// Empty or negative: left out.
struct ListMetadata {
  std::string resource_version;
  std::string continue_token;
  std::int64_t remaining = -1;  // remainingItemCount
};

// JSON: head, items with a comma between them, tail.
std::string list_json_head(const Kind& kind, const ListMetadata& metadata);
void append_list_json_item(std::string& out, const Object& object);  // no kind, as upstream
inline constexpr std::string_view list_json_tail = "]}";
std::string list_json_text(const Kind& kind, std::span<const ObjectPtr> objects,
                           const ListMetadata& metadata);

// Protobuf: the head knows how long all items are; then append_list_item (api/protobuf.h) for each.
std::string list_protobuf_head(const Kind& kind, std::span<const ObjectPtr> objects,
                               const ListMetadata& metadata);
std::string list_protobuf(const Kind& kind, std::span<const ObjectPtr> objects,
                          const ListMetadata& metadata);

// {"resourceVersion":"7",…}: for whoever makes a list of another kind.
std::string list_metadata_json(const ListMetadata& metadata);

}  // namespace keelson

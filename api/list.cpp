// Lists from the bytes of their objects.
#include "api/list.h"

#include "api/json.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"

namespace keelson {
namespace {

meta::ListMeta message_of(const ListMetadata& metadata) {
  meta::ListMeta message;
  message.set_resourceversion(metadata.resource_version);
  message.set_continue_(metadata.continue_token);
  if (metadata.remaining >= 0) message.set_remainingitemcount(metadata.remaining);
  return message;
}

}  // namespace

std::string list_metadata_json(const ListMetadata& metadata) {
  return message_to_json_text(message_of(metadata));
}

std::string list_json_head(const Kind& kind, const ListMetadata& metadata) {
  return fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":[)", kind.kind,
                     kind.api_version(), list_metadata_json(metadata));
}

void append_list_json_item(std::string& out, const Object& object) {
  append_json(out, schema_of(*object.kind->prototype), object.bytes);
}

std::string list_json_text(const Kind& kind, std::span<const ObjectPtr> objects,
                           const ListMetadata& metadata) {
  std::string text = list_json_head(kind, metadata);
  std::string_view between;
  for (const ObjectPtr& object : objects) {
    text += between;
    between = ",";
    append_list_json_item(text, *object);
  }
  return text += list_json_tail;
}

std::string list_protobuf_head(const Kind& kind, std::span<const ObjectPtr> objects,
                               const ListMetadata& metadata) {
  std::string list_meta;
  append_list_metadata(list_meta, canonical_bytes(message_of(metadata)));
  std::size_t size = list_meta.size();
  for (const ObjectPtr& object : objects) size += list_item_size(object->bytes);
  return envelope_head(kind.api_version(), fmt::format("{}List", kind.kind), size) + list_meta;
}

std::string list_protobuf(const Kind& kind, std::span<const ObjectPtr> objects,
                          const ListMetadata& metadata) {
  std::string bytes = list_protobuf_head(kind, objects, metadata);
  for (const ObjectPtr& object : objects) append_list_item(bytes, object->bytes);
  return bytes;
}

}  // namespace keelson

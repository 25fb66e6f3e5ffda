// JSON lines and protobuf frames. API-BEHAVIOUR §3.
#include "control/server/watch_encoder.h"

#include <optional>

#include "api/json.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "api/status.h"
#include "api/wire.h"

namespace keelson {
namespace {

constexpr const char* initial_events_end = "k8s.io/initial-events-end";

std::string_view type_text(EventType type) {
  switch (type) {
    case EventType::Added:
      return "ADDED";
    case EventType::Modified:
      return "MODIFIED";
    case EventType::Deleted:
      return "DELETED";
    case EventType::Bookmark:
      return "BOOKMARK";
  }
  return {};
}

// What is shared: the object alone, in the forms most ask for.
std::optional<Encodings::Format> shared_format(const Presentation& as) {
  const Output& output = as.output;
  if (output.shape == Shape::Object && !as.pretty) {
    return output.media == Media::Protobuf ? Encodings::Format::Protobuf : Encodings::Format::Json;
  }
  if (output.shape == Shape::Table && as.include_object == IncludeObject::Metadata) {
    return output.meta_version == "v1" ? Encodings::Format::TableV1
                                       : Encodings::Format::TableV1Beta1;
  }
  return std::nullopt;
}

Bytes json_head(std::string_view type) {
  return make_bytes(fmt::format(R"({{"type":"{}","object":)", type));
}

// 4 bytes of length, and a WatchEvent up to where its object's envelope begins.
Bytes frame_head(std::string_view type, std::size_t envelope_bytes) {
  constexpr std::uint32_t type_number = 1, object_number = 2, raw_number = 1;
  std::string inner;  // RawExtension, up to its bytes
  append_tag(inner, raw_number, WireType::Delimited);
  append_varint(inner, envelope_bytes);
  std::string event;
  append_delimited(event, type_number, type);
  append_tag(event, object_number, WireType::Delimited);
  append_varint(event, inner.size() + envelope_bytes);
  event += inner;
  const std::size_t size = event.size() + envelope_bytes;
  std::string head;
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift);
  return make_bytes(head + event);
}

}  // namespace

std::string WatchEncoder::content_type() const {
  std::string type(keelson::content_type(as_.output));
  if (is_protobuf()) type += ";stream=watch";
  return type;
}

std::vector<Bytes> WatchEncoder::framed(std::string_view type, Bytes object) const {
  if (is_protobuf()) return {frame_head(type, object->size()), std::move(object)};
  static const Bytes end = make_bytes("}\n");
  return {json_head(type), std::move(object), end};
}

std::string WatchEncoder::make_object_bytes(const ObjectPtr& object, bool headers,
                                            WallTime now) const {
  if (as_.output.shape != Shape::Table) {
    Presentation one_line = as_;
    one_line.pretty = false;
    std::string bytes = encode_object(object, one_line, now);
    if (!is_protobuf()) bytes.pop_back();  // its newline
    return bytes;
  }
  return table_text(kind_, {&object, 1},
                    {.resource_version = std::to_string(object->resource_version)},
                    {.include_object = as_.include_object,
                     .headers = headers,
                     .version = as_.output.meta_version},
                    now);
}

Bytes WatchEncoder::object(const WatchItem& item, WallTime now) {
  const bool first = as_.output.shape == Shape::Table && !std::exchange(sent_headers_, true);
  const auto format = shared_format(as_);
  const auto make = [&] { return make_object_bytes(item.object, first, now); };
  if (first || !format || !item.encodings) return make_bytes(make());
  return item.encodings->get(*format, make);
}

// An object of the kind with nothing but a revision; a Table has it in its only row.
std::string WatchEncoder::bookmark(const WatchItem& item) const {
  meta::ObjectMeta metadata;
  metadata.set_resourceversion(std::to_string(item.revision));
  if (item.initial_end) (*metadata.mutable_annotations())[initial_events_end] = "true";
  const std::string bytes = ordered_bytes(metadata);
  std::string raw;
  append_delimited(raw, 1, bytes);
  const bool is_metadata = as_.output.shape == Shape::Metadata;
  const std::string meta_version = "meta.k8s.io/" + std::string(as_.output.meta_version);
  const std::string api_version = is_metadata ? meta_version : kind_.api_version();
  const std::string_view kind = is_metadata ? "PartialObjectMetadata" : kind_.kind;
  if (is_protobuf()) return to_envelope(api_version, kind, raw);
  std::string text;
  append_json(text, schema_of(metadata), bytes);
  if (as_.output.shape != Shape::Table) {
    return fmt::format(R"({{"kind":"{}","apiVersion":"{}","metadata":{}}})", kind, api_version,
                       text);
  }
  return fmt::format(
      R"({{"kind":"Table","apiVersion":"{0}","metadata":{{"resourceVersion":"{1}"}},)"
      R"("columnDefinitions":[],"rows":[{{"cells":[],"object":{{"kind":"PartialObjectMetadata",)"
      R"("apiVersion":"{0}","metadata":{2}}}}}]}})",
      meta_version, item.revision, text);
}

std::vector<Bytes> WatchEncoder::event(const WatchItem& item, WallTime now) {
  if (item.type == EventType::Bookmark) return framed("BOOKMARK", make_bytes(bookmark(item)));
  return framed(type_text(item.type), object(item, now));
}

std::vector<Bytes> WatchEncoder::error(const Error& error) const {
  meta::Status status;
  to_status(error, status);
  const std::string bytes = canonical_bytes(status);
  std::string text;
  if (is_protobuf()) {
    text = to_envelope("v1", "Status", bytes);
  } else {
    append_json(text, schema_of(status), bytes, "v1", "Status");
  }
  return framed("ERROR", make_bytes(std::move(text)));
}

}  // namespace keelson

// Text and bytes of objects, by media type and shape.
#include "control/server/encode.h"

#include "api/json.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "api/wire.h"

namespace keelson {
namespace {

constexpr std::uint32_t metadata_number = 1;  // of every kind, and of PartialObjectMetadata
constexpr std::uint32_t items_number = 2;     // of every list

std::string_view metadata_bytes(const Object& object) {
  return first_field(object.bytes, metadata_number).bytes;
}

std::string meta_api_version(const Output& output) {
  return "meta.k8s.io/" + std::string(output.meta_version);
}

TableOptions table_options(const Presentation& as) {
  return {.include_object = as.include_object, .version = as.output.meta_version};
}

std::string object_protobuf(const Object& object, const Output& output) {
  if (output.shape == Shape::Metadata) {
    return to_envelope(meta_api_version(output), "PartialObjectMetadata", metadata_message(object));
  }
  return to_envelope(object.kind->api_version(), object.kind->kind, object.bytes);
}

// A list of metadata is small enough for one go.
std::string metadata_list_protobuf(std::span<const ObjectPtr> objects, const ListMetadata& metadata,
                                   const Output& output) {
  meta::ListMeta list_meta;
  list_meta.set_resourceversion(metadata.resource_version);
  list_meta.set_continue_(metadata.continue_token);
  if (metadata.remaining >= 0) list_meta.set_remainingitemcount(metadata.remaining);
  std::string raw;
  append_list_metadata(raw, ordered_bytes(list_meta));
  for (const ObjectPtr& object : objects) {
    append_delimited(raw, items_number, metadata_message(*object));
  }
  return to_envelope(meta_api_version(output), "PartialObjectMetadataList", raw);
}

}  // namespace

void append_metadata_json(std::string& out, const Object& object, std::string_view meta_version) {
  out.append("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/");
  out.append(meta_version).append("\",\"metadata\":");
  append_json(out, schema_of(*meta::ObjectMeta::descriptor()), metadata_bytes(object));
  out += '}';
}

std::string metadata_message(const Object& object) {
  std::string raw;
  append_delimited(raw, metadata_number, metadata_bytes(object));
  return raw;
}

std::string encode_object(const ObjectPtr& object, const Presentation& as, WallTime now) {
  const Output& output = as.output;
  if (output.media == Media::Protobuf) return object_protobuf(*object, output);
  std::string text;
  switch (output.shape) {
    case Shape::Object:
      text = object_to_json_text(*object);
      break;
    case Shape::Table:
      text = table_text(*object->kind, {&object, 1},
                        {.resource_version = std::to_string(object->resource_version)},
                        table_options(as), now);
      break;
    case Shape::Metadata:
      append_metadata_json(text, *object, output.meta_version);
      break;
  }
  if (as.pretty) text = indented_json(text);
  text += '\n';
  return text;
}

ListEncoder::ListEncoder(const Kind& kind, std::vector<ObjectPtr> objects, ListMetadata metadata,
                         const Presentation& as, WallTime now)
    : kind_(kind),
      objects_(std::move(objects)),
      metadata_(std::move(metadata)),
      as_(as),
      now_(now) {
  for (const ObjectPtr& object : objects_) objects_bytes_ += object->bytes.size();
}

std::string ListEncoder::head() const {
  switch (as_.output.shape) {
    case Shape::Object:
      return is_protobuf() ? list_protobuf_head(kind_, objects_, metadata_)
                           : list_json_head(kind_, metadata_);
    case Shape::Table:
      return table_head(kind_, metadata_, table_options(as_));
    case Shape::Metadata:
      return fmt::format(
          R"({{"kind":"PartialObjectMetadataList","apiVersion":"{}","metadata":{},"items":[)",
          meta_api_version(as_.output), list_metadata_json(metadata_));
  }
  return {};
}

void ListEncoder::append_object(std::string& out, const ObjectPtr& object) const {
  if (as_.output.shape == Shape::Table) {
    append_table_rows(out, kind_, {&object, 1}, table_options(as_), now_);
  } else if (is_protobuf()) {
    append_list_item(out, object->bytes);
  } else if (as_.output.shape == Shape::Object) {
    append_list_json_item(out, *object);
  } else {
    append_metadata_json(out, *object, as_.output.meta_version);
  }
}

std::string_view ListEncoder::tail() const {
  return is_protobuf() ? "" : "]}\n";
}

std::string ListEncoder::next_piece() {
  if (ended_) return {};
  if (is_protobuf() && as_.output.shape == Shape::Metadata) {
    ended_ = true;
    return metadata_list_protobuf(objects_, metadata_, as_.output);
  }
  std::string piece;
  if (done_ == 0) piece = head();
  while (done_ < objects_.size() && piece.size() < piece_bytes) {
    if (done_ > 0 && !is_protobuf()) piece += ',';
    append_object(piece, objects_[done_++]);
  }
  if (done_ == objects_.size()) {
    ended_ = true;
    piece += tail();
  }
  return piece;
}

std::string ListEncoder::whole() {
  std::string text;
  for (std::string piece; !(piece = next_piece()).empty();) text += piece;
  return as_.pretty && !is_protobuf() ? indented_json(text) : text;
}

std::string indented_json(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  std::size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      if (c == '"') in_string = false;
      continue;
    }
    const char next = i + 1 < json.size() ? json[i + 1] : '\0';
    switch (c) {
      case '"':
        in_string = true;
        out += c;
        break;
      case '{':
      case '[':
        out += c;
        if (next == '}' || next == ']') break;
        ++depth;
        new_line();
        break;
      case '}':
      case ']':
        if (out.back() != '{' && out.back() != '[') {
          --depth;
          new_line();
        }
        out += c;
        break;
      case ',':
        out += c;
        new_line();
        break;
      case ':':
        out += ": ";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace keelson

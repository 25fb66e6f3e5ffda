// Envelopes, lists and watch frames are read and written as plain fields: nothing inside them is
// decoded, so a list of stored objects is their bytes one after the other.
#include "api/protobuf.h"

#include "api/wire.h"

namespace keelson {
namespace {

constexpr std::string_view magic{"k8s\0", 4};

// Field numbers. Source: k8s.io/apimachinery pkg/runtime and meta/v1 generated.proto.
namespace unknown_field {  // runtime.Unknown
constexpr std::uint32_t type_meta = 1, raw = 2, content_encoding = 3, content_type = 4;
}
namespace type_meta_field {  // runtime.TypeMeta
constexpr std::uint32_t api_version = 1, kind = 2;
}
namespace event_field {  // meta.v1.WatchEvent; its object is a runtime.RawExtension
constexpr std::uint32_t type = 1, object = 2, raw = 1;
}
namespace list_field {
constexpr std::uint32_t metadata = 1, items = 2;
}

constexpr std::size_t length_bytes = 4;

bool parse_type_meta(std::string_view bytes, Envelope& envelope) {
  WireReader reader(bytes);
  WireField field;
  while (reader.next(field)) {
    if (field.number == type_meta_field::api_version) envelope.api_version = field.bytes;
    if (field.number == type_meta_field::kind) envelope.kind = field.bytes;
  }
  return !reader.failed();
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// False: not a RawExtension.
bool parse_raw_extension(std::string_view bytes, std::string& raw) {
  WireReader reader(bytes);
  WireField field;
  while (reader.next(field)) {
    if (field.number == event_field::raw) raw = field.bytes;
  }
  return !reader.failed();
}

}  // namespace

bool is_envelope(std::string_view bytes) {
  return bytes.starts_with(magic);
}

std::string envelope_head(std::string_view api_version, std::string_view kind,
                          std::size_t raw_size) {
  std::string type_meta;
  append_delimited(type_meta, type_meta_field::api_version, api_version);
  append_delimited(type_meta, type_meta_field::kind, kind);
  std::string bytes(magic);
  append_delimited(bytes, unknown_field::type_meta, type_meta);
  // Go writes every field of the struct; readers in other languages may count on it.
  append_delimited(bytes, unknown_field::content_encoding, "");
  append_delimited(bytes, unknown_field::content_type, "");
  append_tag(bytes, unknown_field::raw, WireType::Delimited);
  append_varint(bytes, raw_size);
  return bytes;
}

std::string to_envelope(std::string_view api_version, std::string_view kind, std::string_view raw) {
  std::string bytes = envelope_head(api_version, kind, raw.size());
  bytes.reserve(bytes.size() + raw.size());
  return bytes += raw;
}

Result<Envelope> from_envelope(std::string_view bytes) {
  if (!is_envelope(bytes)) {
    return fail(Reason::BadRequest,
                "provided data does not appear to be a protobuf message, expected prefix "
                "[107 56 115 0]");
  }
  Envelope envelope;
  bool ok = true;
  WireReader reader(bytes.substr(magic.size()));
  WireField field;
  while (ok && reader.next(field)) {
    if (field.number == unknown_field::type_meta) ok = parse_type_meta(field.bytes, envelope);
    if (field.number == unknown_field::raw) envelope.raw = field.bytes;
  }
  if (!ok || reader.failed()) {
    return fail(Reason::BadRequest, "the protobuf envelope is damaged: {} bytes", bytes.size());
  }
  return envelope;
}

void append_list_metadata(std::string& raw, std::string_view list_meta) {
  append_delimited(raw, list_field::metadata, list_meta);
}

void append_list_item(std::string& raw, std::string_view object_bytes) {
  append_delimited(raw, list_field::items, object_bytes);
}

std::size_t list_item_size(std::string_view object_bytes) {
  return delimited_size(list_field::items, object_bytes.size());
}

std::string watch_frame(std::string_view type, std::string_view envelope) {
  const std::size_t object_size = delimited_size(event_field::raw, envelope.size());
  const std::size_t size = delimited_size(event_field::type, type.size()) +
                           delimited_size(event_field::object, object_size);
  std::string frame;
  frame.reserve(length_bytes + size);
  for (std::size_t i = length_bytes; i-- > 0;) frame += static_cast<char>(size >> 8 * i);
  append_delimited(frame, event_field::type, type);
  append_tag(frame, event_field::object, WireType::Delimited);
  append_varint(frame, object_size);
  append_delimited(frame, event_field::raw, envelope);
  return frame;
}

Result<ParsedFrame> parse_watch_frame(std::string_view bytes, std::size_t frame_bytes_max) {
  if (bytes.size() < length_bytes) return fail(Reason::NotFound, "the frame is not whole yet");
  const std::size_t size = big_endian(bytes);
  if (size > frame_bytes_max) {
    return fail(Reason::BadRequest, "a watch event of {} bytes; at most {} are taken", size,
                frame_bytes_max);
  }
  if (bytes.size() - length_bytes < size) {
    return fail(Reason::NotFound, "the frame is not whole yet");
  }
  ParsedFrame frame{.type = {}, .envelope = {}, .consumed = length_bytes + size};
  bool ok = true;
  WireReader reader(bytes.substr(length_bytes, size));
  WireField field;
  while (ok && reader.next(field)) {
    if (field.number == event_field::type) frame.type = field.bytes;
    if (field.number == event_field::object) ok = parse_raw_extension(field.bytes, frame.envelope);
  }
  if (!ok || reader.failed() || frame.type.empty()) {
    return fail(Reason::BadRequest, "the watch event is damaged: {} bytes", size);
  }
  return frame;
}

}  // namespace keelson

// Canonical bytes to JSON text: one walk over the wire format with the schema beside it. No message
// is built; a stored object becomes text straight from its bytes.
#include <array>
#include <cassert>
#include <charconv>

#include <google/protobuf/message.h>
#include <boost/json/parse.hpp>

#include "api/go_text.h"
#include "api/json.h"
#include "api/kinds.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "api/time_text.h"
#include "api/wire.h"
#include "base/limits.h"

namespace keelson {
namespace {

void append_int(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end.ptr);
}

// Every value is followed by a comma; the last one becomes the bracket.
void close_with(std::string& out, char bracket) {
  if (out.back() == ',') {
    out.back() = bracket;
  } else {
    out += bracket;
  }
}

void append_fields(std::string& out, const MessageSchema& schema, std::string_view wire);

void append_object(std::string& out, const MessageSchema& schema, std::string_view wire) {
  out += '{';
  append_fields(out, schema, wire);
  close_with(out, '}');
}

void append_time_value(std::string& out, std::string_view wire, bool micro) {
  if (wire.empty()) {
    out += "null";
    return;
  }
  TimeParts time;
  WireReader reader(wire);
  for (WireField field; reader.next(field);) {
    if (field.number == 1) time.seconds = static_cast<std::int64_t>(field.value);
    if (field.number == 2) time.nanos = static_cast<std::int32_t>(field.value);
  }
  out += '"';
  append_time(out, time, micro);
  out += '"';
}

void append_int_or_string(std::string& out, std::string_view wire) {
  std::int32_t number = 0;
  WireReader reader(wire);
  for (WireField field; reader.next(field);) {
    if (field.number == 1 && field.value == 1) {
      return append_json_string(out, find_field(wire, 3).bytes);
    }
    if (field.number == 2) number = static_cast<std::int32_t>(field.value);
  }
  append_int(out, number);
}

void append_strings(std::string& out, std::string_view wire) {
  out += '[';
  WireReader reader(wire);
  for (WireField item; reader.next(item);) {
    append_json_string(out, item.bytes);
    out += ',';
  }
  close_with(out, ']');
}

void append_value(std::string& out, const FieldSchema& field, const WireField& wire) {
  switch (field.form) {
    case Form::String:
      return append_json_string(out, wire.bytes);
    case Form::Int32:
    case Form::Int64:
      return append_int(out, static_cast<std::int64_t>(wire.value));
    case Form::Bool:
      out += wire.value ? "true" : "false";
      return;
    case Form::Bytes:
      out += '"';
      append_base64(out, wire.bytes);
      out += '"';
      return;
    case Form::Object:
      return append_object(out, *field.message, wire.bytes);
    case Form::Quantity:
      return append_json_string(out, find_field(wire.bytes, 1).bytes);
    case Form::IntOrString:
      return append_int_or_string(out, wire.bytes);
    case Form::Time:
    case Form::MicroTime:
      return append_time_value(out, wire.bytes, field.form == Form::MicroTime);
    case Form::Duration:
      return append_json_string(
          out, go_duration_text(static_cast<std::int64_t>(find_field(wire.bytes, 1).value)));
    case Form::Raw: {
      const std::string_view raw = find_field(wire.bytes, 1).bytes;
      out += raw.empty() ? "null" : raw;
      return;
    }
    case Form::Strings:
      return append_strings(out, wire.bytes);
  }
}

void append_map_entry(std::string& out, const FieldSchema& field, std::string_view entry) {
  WireField key, value;
  WireReader reader(entry);
  for (WireField part; reader.next(part);) (part.number == 1 ? key : value) = part;
  append_json_string(out, key.bytes);
  out += ':';
  append_value(out, field, value);
  out += ',';
}

// The items of a list, or the entries of a map, from the first one on; leaves in `next` what
// follows them. False: the message ends with them.
bool append_run(std::string& out, const FieldSchema& field, WireReader& reader, WireField& next) {
  const bool is_map = field.cardinality == Cardinality::Map;
  out += is_map ? '{' : '[';
  const std::uint32_t number = next.number;
  bool more = true;
  for (; more && next.number == number; more = reader.next(next)) {
    if (is_map) {
      append_map_entry(out, field, next.bytes);
    } else {
      append_value(out, field, next);
      out += ',';
    }
  }
  close_with(out, is_map ? '}' : ']');
  out += ',';
  return more;
}

// Fields come in the order of their numbers, so wire and schema are walked side by side; what is
// passed over in the schema is absent in the message.
void append_fields(std::string& out, const MessageSchema& schema, std::string_view wire) {
  WireReader reader(wire);
  WireField next;
  bool more = reader.next(next);
  for (const FieldSchema& field : schema.fields) {
    const auto number = static_cast<std::uint32_t>(field.number);
    while (more && next.number < number) more = reader.next(next);  // unknown
    if (!more || next.number != number) {
      out += field.absent_text;
      continue;
    }
    if (field.inlined) {
      append_fields(out, *field.message, next.bytes);
      more = reader.next(next);
      continue;
    }
    out += field.key_text;
    if (field.cardinality == Cardinality::Single) {
      append_value(out, field, next);
      out += ',';
      more = reader.next(next);
    } else {
      more = append_run(out, field, reader, next);
    }
  }
  assert(!reader.failed());
}

json::object parse_own(const std::string& text) {
  json::parse_options options;
  options.max_depth = 2 * static_cast<std::size_t>(Limits{}.json_depth);  // raw JSON inside
  return std::move(json::parse(text, {}, options).as_object());
}

}  // namespace

void append_json(std::string& out, const MessageSchema& schema, std::string_view canonical_bytes,
                 std::string_view api_version, std::string_view kind) {
  out += '{';
  if (!api_version.empty()) {
    out.append("\"kind\":\"").append(kind).append("\",\"apiVersion\":\"");
    out.append(api_version).append("\",");
  }
  append_fields(out, schema, canonical_bytes);
  close_with(out, '}');
}

std::string message_to_json_text(const Message& message) {
  const std::string bytes = canonical_bytes(message);
  std::string text;
  text.reserve(3 * bytes.size() + 256);
  append_json(text, schema_of(message), bytes);
  return text;
}

std::string object_to_json_text(const Kind& kind, const Message& message) {
  const std::string bytes = canonical_bytes(message);
  std::string text;
  text.reserve(3 * bytes.size() + 256);
  append_json(text, schema_of(message), bytes, kind.api_version(), kind.kind);
  return text;
}

std::string object_to_json_text(const Object& object) {
  std::string text;
  text.reserve(3 * object.bytes.size() + 256);
  append_json(text, schema_of(*object.kind->prototype), object.bytes, object.kind->api_version(),
              object.kind->kind);
  return text;
}

json::object message_to_json(const Message& message) {
  return parse_own(message_to_json_text(message));
}

json::object object_to_json(const Kind& kind, const Message& message) {
  return parse_own(object_to_json_text(kind, message));
}

}  // namespace keelson

// Canonical bytes: one walk over a message's wire format with its schema beside it.
#include <algorithm>
#include <climits>
#include <optional>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include "api/go_text.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/quantity.h"
#include "api/schema.h"
#include "api/time_text.h"
#include "api/wire.h"

namespace keelson {
namespace {

bool is_number(Form form) {
  return form == Form::Int32 || form == Form::Int64 || form == Form::Bool;
}

class Canonicalizer {
 public:
  void fields(const MessageSchema& schema, std::string_view wire);
  std::string out;
  std::optional<Error> error;  // the first thing that cannot be

 private:
  void single(const FieldSchema& field, const WireField& wire);
  void map_entry(const FieldSchema& field, std::string_view entry);
  // The content of a message field, without tag and length. False: it is the zero value.
  bool content(const FieldSchema& field, std::string_view wire);
  bool quantity(std::string_view wire);
  bool int_or_string(std::string_view wire);
  bool time(std::string_view wire, bool micro);
  bool raw(std::string_view wire);
  bool strings(std::string_view wire);
  void check_text(std::string_view text) {
    if (!is_utf8(text)) wrong({Reason::BadRequest, "a string that is not UTF-8"});
  }
  void wrong(Error&& what) {
    if (!error) error = std::move(what);
  }
};

void Canonicalizer::fields(const MessageSchema& schema, std::string_view wire) {
  auto field = schema.fields.begin();
  WireReader reader(wire);
  for (WireField next; reader.next(next);) {
    auto is_before = [&](const FieldSchema& f) {
      return static_cast<std::uint32_t>(f.number) < next.number;
    };
    // Fields come in order, so this goes through the schema once; unknown ones stand last.
    while (field != schema.fields.end() && is_before(*field)) ++field;
    if (field == schema.fields.end()) break;
    if (static_cast<std::uint32_t>(field->number) != next.number) continue;
    const bool number = field->cardinality != Cardinality::Map && is_number(field->form);
    if (next.type != (number ? WireType::Varint : WireType::Delimited)) continue;
    if (field->cardinality == Cardinality::Map) {
      map_entry(*field, next.bytes);
    } else {
      single(*field, next);
    }
  }
}

// A field, or one item of a list; items are kept even if they are zero.
void Canonicalizer::single(const FieldSchema& field, const WireField& wire) {
  const bool keep = field.pointer || field.cardinality == Cardinality::List;
  if (is_number(field.form)) {
    if (keep || wire.value != 0) append_number(out, wire.number, wire.value);
    return;
  }
  if (field.form == Form::String || field.form == Form::Bytes) {
    if (field.form == Form::String) check_text(wire.bytes);
    if (keep || !wire.bytes.empty()) append_delimited(out, wire.number, wire.bytes);
    return;
  }
  OpenMessage message(out, wire.number);
  const bool set = content(field, wire.bytes);
  if (!set && (!keep || field.zero_is_null())) {
    message.drop();
  } else {
    message.close();
  }
}

void Canonicalizer::map_entry(const FieldSchema& field, std::string_view entry) {
  constexpr std::uint32_t key_number = 1, value_number = 2;
  OpenMessage message(out, static_cast<std::uint32_t>(field.number));
  const std::string_view key = find_field(entry, key_number).bytes;
  const std::string_view value = find_field(entry, value_number).bytes;
  check_text(key);
  append_delimited(out, key_number, key);
  if (field.form == Form::String) check_text(value);
  if (field.form == Form::String || field.form == Form::Bytes) {
    append_delimited(out, value_number, value);
  } else {
    OpenMessage inner(out, value_number);
    content(field, value);
    inner.close();
  }
  message.close();
}

bool Canonicalizer::content(const FieldSchema& field, std::string_view wire) {
  switch (field.form) {
    case Form::Object: {
      const std::size_t before = out.size();
      fields(*field.message, wire);
      return out.size() != before;
    }
    case Form::Quantity:
      return quantity(wire);
    case Form::IntOrString:
      return int_or_string(wire);
    case Form::Time:
    case Form::MicroTime:
      return time(wire, field.form == Form::MicroTime);
    case Form::Duration: {
      const std::uint64_t nanoseconds = find_field(wire, 1).value;
      if (nanoseconds != 0) append_number(out, 1, nanoseconds);
      return nanoseconds != 0;
    }
    case Form::Raw:
      return raw(wire);
    case Form::Strings:
      return strings(wire);
    default:
      return true;
  }
}

bool Canonicalizer::quantity(std::string_view wire) {
  const WireField text = find_field(wire, 1);
  std::string canonical = "0";
  if (text.number == 1) {
    auto parsed = Quantity::parse(text.bytes);
    if (!parsed) wrong(std::move(parsed.error()));
    canonical = parsed ? parsed->text() : std::string(text.bytes);
  }
  append_delimited(out, 1, canonical);
  return canonical != "0";
}

bool Canonicalizer::int_or_string(std::string_view wire) {
  const std::uint64_t type = find_field(wire, 1).value;
  if (type > 1) wrong({Reason::BadRequest, "impossible IntOrString.Type"});
  if (type == 1) {
    const std::string_view text = find_field(wire, 3).bytes;
    check_text(text);
    append_number(out, 1, 1);
    append_delimited(out, 3, text);
    return true;
  }
  const std::uint64_t number = find_field(wire, 2).value;
  if (number != 0) append_number(out, 2, number);
  return number != 0;
}

bool Canonicalizer::time(std::string_view wire, bool micro) {
  const auto seconds = static_cast<std::int64_t>(find_field(wire, 1).value);
  if (wire.empty() || seconds == time_seconds_min) return false;
  if (seconds < time_seconds_min || seconds > time_seconds_max) {
    wrong({Reason::BadRequest, "a time outside of years 1 to 9999"});
  }
  append_number(out, 1, static_cast<std::uint64_t>(seconds));
  const auto nanos = static_cast<std::int32_t>(find_field(wire, 2).value);
  if (micro && nanos / 1'000 != 0) {
    append_number(out, 2, static_cast<std::uint64_t>(nanos / 1'000 * 1'000));
  }
  return true;
}

bool Canonicalizer::raw(std::string_view wire) {
  const std::string_view text = find_field(wire, 1).bytes;
  if (text.empty() || text == "null") return false;
  if (!is_json(text)) {
    wrong({Reason::BadRequest, "raw bytes that are not JSON, where an object carries JSON"});
    append_delimited(out, 1, "null");
    return true;
  }
  append_delimited(out, 1, text);
  return true;
}

bool Canonicalizer::strings(std::string_view wire) {
  bool any = false;
  WireReader reader(wire);
  for (WireField item; reader.next(item);) {
    if (item.number != 1 || item.type != WireType::Delimited) continue;
    check_text(item.bytes);
    append_delimited(out, 1, item.bytes);
    any = true;
  }
  return any;
}

}  // namespace

std::string ordered_bytes(const Message& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());  // also computes the sizes that the next call relies on
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&out);
  }
  return bytes;
}

std::string canonical_bytes(const Message& message) {
  Canonicalizer canonicalizer;
  const std::string bytes = ordered_bytes(message);
  canonicalizer.out.reserve(bytes.size());
  canonicalizer.fields(schema_of(message), bytes);
  return std::move(canonicalizer.out);
}

Result<std::string> normalize(Message& message) {
  Canonicalizer canonicalizer;
  const std::string bytes = ordered_bytes(message);
  canonicalizer.out.reserve(bytes.size());  // what a store keeps has no slack
  canonicalizer.fields(schema_of(message), bytes);
  if (canonicalizer.out != bytes) message.ParseFromString(canonicalizer.out);
  if (canonicalizer.error) return std::unexpected(*canonicalizer.error);
  return std::move(canonicalizer.out);
}

Result<std::string> message_from_protobuf(std::string_view bytes, Message& message) {
  google::protobuf::LogSilencer quiet;  // a client's mistakes are the client's to hear of
  if (bytes.size() > INT_MAX ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Reason::BadRequest, "the body is not a {} in protobuf: {} bytes",
                message.GetTypeName(), bytes.size());
  }
  return normalize(message);
}

}  // namespace keelson

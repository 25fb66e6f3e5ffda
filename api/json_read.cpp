// Tree to message: the tree becomes wire format by the schema, and protobuf parses that.
#include <algorithm>
#include <cassert>
#include <optional>

#include <google/protobuf/message.h>
#include <boost/json/value.hpp>

#include "api/found_paths.h"
#include "api/go_text.h"
#include "api/json.h"
#include "api/quantity.h"
#include "api/schema.h"
#include "api/time_text.h"
#include "api/wire.h"

namespace keelson {
namespace {

// Where in the tree we are: a chain on the stack, made into text only when something is wrong.
struct Place {
  const Place* outer = nullptr;
  std::string_view key;  // empty for an item of a list
  std::size_t index = 0;
  bool in_struct = true;  // the key is a field's name, not a map's key

  // "spec.containers[0].image"
  std::string path() const {
    std::string text = outer ? outer->path() : std::string();
    if (key.data() == nullptr) return outer ? text + "[" + std::to_string(index) + "]" : text;
    if (!text.empty()) text += '.';
    return text.append(key);
  }
  // What Go calls it: fields only, "spec.containers.image".
  std::string field_path() const {
    std::string text = outer ? outer->field_path() : std::string();
    if (key.data() == nullptr || !in_struct) return text;
    if (!text.empty()) text += '.';
    return text.append(key);
  }
};

// The Go type that a value is decoded into, as error messages print it.
std::string go_type(const FieldSchema& field) {
  switch (field.form) {
    case Form::String:
      return "string";
    case Form::Int32:
      return "int32";
    case Form::Int64:
      return "int64";
    case Form::Bool:
      return "bool";
    case Form::Bytes:
      return "[]uint8";
    case Form::Object:
      return field.message->go_name;
    case Form::Quantity:
      return "resource.Quantity";
    case Form::IntOrString:
      return "intstr.IntOrString";
    case Form::Time:
      return "v1.Time";
    case Form::MicroTime:
      return "v1.MicroTime";
    case Form::Duration:
      return "v1.Duration";
    case Form::Raw:
      return "runtime.RawExtension";
    case Form::Strings:
      return "v1.ExtraValue";
  }
  return {};
}

std::string container_type(const FieldSchema& field) {
  return (field.cardinality == Cardinality::Map ? "map[string]" : "[]") + go_type(field);
}

// What Go calls a JSON value; a number with its digits where it is the digits that are wrong.
std::string go_value(const json::value& value, bool with_digits) {
  switch (value.kind()) {
    case json::kind::bool_:
      return "bool";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    default:
      return with_digits ? "number " + to_text(value) : "number";
  }
}

class Encoder {
 public:
  explicit Encoder(std::vector<std::string>& unknown) : unknown_(unknown) {}

  void object(const MessageSchema& schema, const json::object& tree, const Place& place);

  std::string out;
  std::optional<Error> error;  // the first value that cannot be

 private:
  void field(const FieldSchema& field, const json::value& value, const Place& place);
  void list(const FieldSchema& field, const json::value& value, const Place& place);
  void map(const FieldSchema& field, const json::value& value, const Place& place);
  // A value as field `number`: the field's own, or 2 in an entry of a map. `keep`: also if it is
  // zero.
  void value(const FieldSchema& field, const json::value& value, const Place& place,
             std::uint32_t number, bool keep);
  void number(const FieldSchema& field, const json::value& value, const Place& place,
              std::uint32_t number, bool keep);
  void bytes(const json::value& value, const Place& place, const FieldSchema& field,
             std::uint32_t number, bool keep);
  // The content of a message that stands for one value. False: it is the zero value.
  bool content(const FieldSchema& field, const json::value& value, const Place& place);
  bool quantity(const json::value& value);
  bool int_or_string(const FieldSchema& field, const json::value& value, const Place& place);
  bool time(const json::value& value, bool micro);
  bool duration(const json::value& value);
  bool strings(const FieldSchema& field, const json::value& value, const Place& place);

  void fail_type(const json::value& value, const Place& place, const std::string& type,
                 bool with_digits = false);
  void fail_value(std::string message) {
    if (!error) error = Error{Reason::BadRequest, std::move(message), nullptr};
  }

  std::vector<std::string>& unknown_;
  const MessageSchema* schema_ = nullptr;  // of the struct whose fields are being read
};

void Encoder::fail_type(const json::value& value, const Place& place, const std::string& type,
                        bool with_digits) {
  if (error) return;
  std::string_view name = schema_->go_name;
  name.remove_prefix(name.find('.') + 1);
  fail_value(fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}",
                         go_value(value, with_digits), name, place.field_path(), type));
}

void Encoder::object(const MessageSchema& schema, const json::object& tree, const Place& place) {
  const MessageSchema* outer = std::exchange(schema_, &schema);
  for (const auto& [key, value] : tree) {
    const Place here{.outer = &place, .key = view(key)};
    const NamedField* named = schema.lookup(view(key));
    if (!named) {
      const bool type_meta = schema.has_type_meta && (key == "apiVersion" || key == "kind");
      if (!type_meta) add_found_path(unknown_, [&] { return here.path(); });
      continue;
    }
    if (value.is_null()) continue;
    // Each field of an inlined message makes a message of its own on the wire; parsing merges them.
    std::vector<OpenMessage> through;
    for (const FieldSchema* inlined : named->through) {
      through.emplace_back(out, static_cast<std::uint32_t>(inlined->number));
    }
    field(*named->field, value, here);
    for (auto message = through.rbegin(); message != through.rend(); ++message) {
      message->empty() ? message->drop() : message->close();
    }
  }
  schema_ = outer;
}

void Encoder::field(const FieldSchema& field, const json::value& value, const Place& place) {
  switch (field.cardinality) {
    case Cardinality::Single:
      return this->value(field, value, place, static_cast<std::uint32_t>(field.number),
                         field.pointer);
    case Cardinality::List:
      return list(field, value, place);
    case Cardinality::Map:
      return map(field, value, place);
  }
}

void Encoder::list(const FieldSchema& field, const json::value& value, const Place& place) {
  if (!value.is_array()) return fail_type(value, place, container_type(field));
  std::size_t index = 0;
  for (const json::value& item : value.get_array()) {
    const Place here{.outer = &place, .key = {}, .index = index++};
    this->value(field, item, here, static_cast<std::uint32_t>(field.number), true);
  }
}

void Encoder::map(const FieldSchema& field, const json::value& value, const Place& place) {
  constexpr std::uint32_t key_number = 1, value_number = 2;
  if (!value.is_object()) return fail_type(value, place, container_type(field));
  for (const auto& [key, item] : value.get_object()) {
    const Place here{.outer = &place, .key = view(key), .in_struct = false};
    OpenMessage entry(out, static_cast<std::uint32_t>(field.number));
    append_delimited(out, key_number, view(key));
    this->value(field, item, here, value_number, true);
    entry.close();
  }
}

// null stands for the zero value where there must be one (an item of a list, a value of a map).
void Encoder::value(const FieldSchema& field, const json::value& value, const Place& place,
                    std::uint32_t number, bool keep) {
  switch (field.form) {
    case Form::Int32:
    case Form::Int64:
    case Form::Bool:
      return this->number(field, value, place, number, keep);
    case Form::String: {
      if (!value.is_string() && !value.is_null()) return fail_type(value, place, "string");
      const std::string_view text = value.is_null() ? "" : view(value.get_string());
      if (keep || !text.empty()) append_delimited(out, number, text);
      return;
    }
    case Form::Bytes:
      return bytes(value, place, field, number, keep);
    default:
      break;
  }
  OpenMessage message(out, number);
  const bool set = !value.is_null() && content(field, value, place);
  if (!set && (!keep || field.zero_is_null())) {
    message.drop();
  } else {
    message.close();
  }
}

void Encoder::number(const FieldSchema& field, const json::value& value, const Place& place,
                     std::uint32_t number, bool keep) {
  std::uint64_t bits = 0;
  if (field.form == Form::Bool && value.is_bool()) {
    bits = value.get_bool();
  } else if (!value.is_null()) {
    const bool is_integer = field.form != Form::Bool && value.is_int64();
    const std::int64_t integer = is_integer ? value.get_int64() : 0;
    if (!is_integer || (field.form == Form::Int32 && integer != static_cast<int>(integer))) {
      return fail_type(value, place, go_type(field), field.form != Form::Bool);
    }
    bits = static_cast<std::uint64_t>(integer);
  }
  if (keep || bits != 0) append_number(out, number, bits);
}

void Encoder::bytes(const json::value& value, const Place& place, const FieldSchema& field,
                    std::uint32_t number, bool keep) {
  std::string decoded;
  if (!value.is_null()) {
    if (!value.is_string()) return fail_type(value, place, go_type(field));
    std::size_t bad_index = 0;
    if (!parse_base64(view(value.get_string()), decoded, bad_index)) {
      return fail_value(fmt::format("illegal base64 data at input byte {}", bad_index));
    }
  }
  if (keep || !decoded.empty()) append_delimited(out, number, decoded);
}

bool Encoder::content(const FieldSchema& field, const json::value& value, const Place& place) {
  switch (field.form) {
    case Form::Quantity:
      return quantity(value);
    case Form::IntOrString:
      return int_or_string(field, value, place);
    case Form::Time:
    case Form::MicroTime:
      return time(value, field.form == Form::MicroTime);
    case Form::Duration:
      return duration(value);
    case Form::Strings:
      return strings(field, value, place);
    case Form::Raw:
      append_delimited(out, 1, to_text(value));
      return true;
    default:
      break;
  }
  if (!value.is_object()) {
    fail_type(value, place, go_type(field));
    return true;
  }
  const std::size_t before = out.size();
  object(*field.message, value.get_object(), place);
  return out.size() != before;
}

bool Encoder::quantity(const json::value& value) {
  // A number is its own text: cpu: 0.5
  const std::string text =
      value.is_string() ? std::string(view(value.get_string())) : to_text(value);
  const auto begin = text.find_first_not_of(" \t\r\n");
  const auto end = text.find_last_not_of(" \t\r\n");
  auto parsed = Quantity::parse(begin == std::string::npos
                                    ? std::string_view()
                                    : std::string_view(text).substr(begin, end - begin + 1));
  if (!parsed) {
    fail_value(parsed.error().message);
    return true;
  }
  append_delimited(out, 1, parsed->text());
  return !parsed->is_zero();
}

bool Encoder::int_or_string(const FieldSchema& field, const json::value& value,
                            const Place& place) {
  if (value.is_string()) {
    append_number(out, 1, 1);
    append_delimited(out, 3, view(value.get_string()));
    return true;
  }
  const bool is_integer = value.is_int64() && value.get_int64() == int(value.get_int64());
  if (!is_integer) {
    fail_type(value, place, field.form == Form::IntOrString ? "int32" : go_type(field), true);
    return true;
  }
  const std::int64_t number = value.get_int64();
  if (number != 0) append_number(out, 2, static_cast<std::uint64_t>(number));
  return number != 0;
}

bool Encoder::time(const json::value& value, bool micro) {
  if (!value.is_string()) {
    fail_value("json: cannot unmarshal " + go_value(value, false) +
               " into Go value of type string");
    return false;
  }
  const auto parsed = parse_time(view(value.get_string()), micro);
  if (!parsed) fail_value(parsed.error().message);
  if (!parsed || parsed->seconds == time_seconds_min) return false;
  append_number(out, 1, static_cast<std::uint64_t>(parsed->seconds));
  if (micro && parsed->nanos != 0) {
    append_number(out, 2, static_cast<std::uint64_t>(parsed->nanos));
  }
  return true;
}

bool Encoder::duration(const json::value& value) {
  if (!value.is_string()) {
    fail_value("json: cannot unmarshal " + go_value(value, false) +
               " into Go value of type string");
    return false;
  }
  const auto parsed = parse_go_duration(view(value.get_string()));
  if (!parsed) fail_value(parsed.error().message);
  if (!parsed || *parsed == 0) return false;
  append_number(out, 1, static_cast<std::uint64_t>(*parsed));
  return true;
}

bool Encoder::strings(const FieldSchema& field, const json::value& value, const Place& place) {
  if (!value.is_array()) {
    fail_type(value, place, go_type(field));
    return true;
  }
  for (const json::value& item : value.get_array()) {
    if (!item.is_string() && !item.is_null()) {
      fail_type(item, place, "string");
      continue;
    }
    append_delimited(out, 1, item.is_null() ? std::string_view() : view(item.get_string()));
  }
  return !value.get_array().empty();
}

}  // namespace

Result<> message_from_json(const json::object& tree, Message& message,
                           std::vector<std::string>& unknown) {
  Encoder encoder(unknown);
  const MessageSchema& schema = schema_of(message);
  encoder.object(schema, tree, Place{});
  const bool parsed = message.ParseFromString(encoder.out);
  assert(parsed);
  (void)parsed;
  if (encoder.error) return std::unexpected(*encoder.error);
  return {};
}

}  // namespace keelson

// What is known of every message beyond its wire format: its JSON fields, what forms their values
// have, and how patches and apply treat them. Read once from the descriptors and options.proto's
// rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/types.h"

namespace keelson {

struct MessageSchema;

// How a value stands in JSON.
enum class Form : std::uint8_t {
  String,
  Int32,
  Int64,
  Bool,
  Bytes,        // base64
  Object,       // a message with fields
  Quantity,     // "100m"
  IntOrString,  // 80 or "http"
  Time,         // "2006-01-02T15:04:05Z" or null
  MicroTime,    // "2006-01-02T15:04:05.000000Z" or null
  Duration,     // "5m0s"
  Raw,          // the message holds JSON as bytes: FieldsV1, RawExtension
  Strings,      // the message holds a list of strings: ExtraValue, Verbs
};

enum class Cardinality : std::uint8_t { Single, List, Map };  // the keys of maps are strings

// Apply: what identifies the items of a list. Atomic lists are one value.
enum class ListType : std::uint8_t { Atomic, Set, Map };

struct FieldSchema {
  std::string name;  // in JSON
  int number = 0;
  const google::protobuf::FieldDescriptor* field = nullptr;
  Cardinality cardinality = Cardinality::Single;
  Form form = Form::String;                // of the value, of an item of a list, of a map's value
  const MessageSchema* message = nullptr;  // of Form::Object; else null
  bool inlined = false;                    // JSON: the message's fields stand in its parent
  bool always = false;                     // JSON: written even when zero
  bool pointer = false;                    // absent and zero differ
  bool required = false;                   // OpenAPI: whoever sends the message sends it

  // Strategic merge.
  bool merge = false;        // a list's items are merged, not replaced
  bool replace = false;      // a message is replaced, not merged
  bool retain_keys = false;  // $retainKeys is honoured
  std::string merge_key;     // what identifies an item; empty: the item itself

  // Apply.
  ListType list_type = ListType::Atomic;  // of a list
  std::vector<std::string> list_keys;     // of ListType::Map
  // Owned and merged as one value: a list of no keys, an atomic map, an atomic message (what the
  // field says stands above what the message says).
  bool atomic = false;
  std::string default_value;  // as JSON; empty: none

  // For the writer of JSON: `"name":`, and what is written when the field is absent, with its comma
  // (`"status":{},`).
  std::string key_text, absent_text;

  // JSON: null, for a pointer too; so it is as good as absent. (An item of a list stays.)
  bool zero_is_null() const {
    const bool null = form == Form::Time || form == Form::MicroTime || form == Form::Raw;
    return null && cardinality == Cardinality::Single;
  }

  // Where it stands in its own message's `named`; an inlined one: where its first field does.
  std::size_t place = 0;
};

// A field as JSON has it: perhaps of a message that is inlined in this one.
struct NamedField {
  std::vector<const FieldSchema*> through;  // the inlined messages' fields, outermost first
  const FieldSchema* field = nullptr;
};

struct MessageSchema {
  const google::protobuf::Descriptor* descriptor = nullptr;
  std::string go_name;               // "v1.PodSpec": how error messages name the type
  bool atomic = false;               // apply: owned and merged as one value
  bool has_type_meta = false;        // JSON: may have apiVersion and kind
  bool is_list = false;              // PodList …: its items are never null
  std::vector<FieldSchema> fields;   // the message's own, by number
  std::vector<NamedField> named;     // as JSON has them, in the order of declaration
  std::vector<std::size_t> by_name;  // indexes of `named`, in the order of their names

  const NamedField* lookup(std::string_view name) const;  // by JSON name; null if there is none
  const FieldSchema* find(std::string_view name) const;

  std::unordered_map<std::string_view, std::size_t> index;  // of `named`
};

// Any thread. What it returns lives as long as the process.
const MessageSchema& schema_of(const google::protobuf::Descriptor& descriptor);
const MessageSchema& schema_of(const Message& message);

}  // namespace keelson

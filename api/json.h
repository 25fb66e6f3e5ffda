// Message ↔ JSON as Kubernetes writes it, by descriptor and the rules in options.proto: quantities,
// int-or-string, times, base64, inline structs, omitted fields.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "api/types.h"
#include "base/error.h"

namespace keelson {

struct Kind;
struct MessageSchema;
struct Object;
namespace json = boost::json;

// Boost's own string types as the standard's view.
inline std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

// A document as it was sent, before anything is known of its kind.
struct Document {
  json::value tree;
  // Keys written twice, as paths ("spec.replicas"); the last value stands in the tree. Bounded in
  // number and length (found_paths.h).
  std::vector<std::string> duplicates;
};

// Errors: BadRequest with the place. Depth and number of values are bounded (Limits); size is the
// caller's.
Result<Document> parse_json(std::string_view text);
Result<Document> parse_yaml(std::string_view text);  // as kubectl reads it; one document
bool is_json(std::string_view text);                 // one whole JSON value, within the same bounds

// Fills the message, in normal form. Unknown fields are left out and their paths added to `unknown`
// (bounded as above); apiVersion and kind are not fields and are passed over. Error: BadRequest, a
// value of the wrong type, in the words a Go client prints ("json: cannot unmarshal string into Go
// struct field …").
Result<> message_from_json(const json::object& tree, Message& message,
                           std::vector<std::string>& unknown);

// The object without apiVersion and kind; keys in the order of the fields' numbers, map keys
// sorted; what a Go struct always writes is written ("status":{}).
json::object message_to_json(const Message& message);
// With them in front. Both forms give the same document; the text is the faster, the fastest that
// of an Object: its bytes are never decoded.
json::object object_to_json(const Kind& kind, const Message& message);
std::string object_to_json_text(const Kind& kind, const Message& message);
std::string object_to_json_text(const Object& object);
std::string message_to_json_text(const Message& message);  // without apiVersion and kind
// Appends {…} from canonical bytes (api/protobuf.h). api_version may be empty: then neither it nor
// kind is written.
void append_json(std::string& out, const MessageSchema& schema, std::string_view canonical_bytes,
                 std::string_view api_version = {}, std::string_view kind = {});

std::string to_text(const json::value& tree);  // compact
void append_json_text(std::string& out, const json::value& tree);

}  // namespace keelson

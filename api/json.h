// Message ↔ JSON as Kubernetes writes it, by descriptor and the rules in options.proto: quantities,
// int-or-string, times, base64, inline structs, omitted fields.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "api/types.h"
#include "base/error.h"

namespace keelson {

struct Kind;
namespace json = boost::json;

// A document as it was sent, before anything is known of its kind.
struct Document {
  json::value tree;
  // Keys written twice, as paths ("spec.replicas"); the last value stands in the tree.
  std::vector<std::string> duplicates;
};

// Errors: BadRequest with the place. Depth, numbers of nodes and size are bounded (Limits).
Result<Document> parse_json(std::string_view text);
Result<Document> parse_yaml(std::string_view text);  // YAML 1.2 as kubectl reads it; one document

// Fills the message. Unknown fields are left out and their paths added to `unknown`; apiVersion and
// kind are not fields and are passed over. Error: BadRequest, a value of the wrong type, in the
// words a Go client prints ("json: cannot unmarshal string into Go struct field …").
Result<> message_from_json(const json::object& tree, Message& message,
                           std::vector<std::string>& unknown);

// The object without apiVersion and kind; keys in the order of the fields' numbers, map keys
// sorted.
json::object message_to_json(const Message& message);
// With them in front. Both forms give the same document; the text is the faster.
json::object object_to_json(const Kind& kind, const Message& message);
std::string object_to_json_text(const Kind& kind, const Message& message);
std::string message_to_json_text(const Message& message);  // without apiVersion and kind

std::string to_text(const json::value& tree);  // compact

}  // namespace keelson

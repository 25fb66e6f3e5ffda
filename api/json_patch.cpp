// JSON patch (RFC 6902).
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "api/go_text.h"
#include "api/patch.h"

namespace keelson {
namespace {

// Kubernetes says no more than the message; the cause is ours, and kubectl prints it.
template <typename... Args>
std::unexpected<Error> rejected(fmt::format_string<Args...> format, Args&&... args) {
  ErrorDetails details;
  details.causes.push_back(
      {"FieldValueInvalid", fmt::format(format, std::forward<Args>(args)...), "patch"});
  return std::unexpected(Error{Reason::Invalid,
                               "the server rejected our request due to an error in our request",
                               std::make_shared<const ErrorDetails>(std::move(details))});
}

// Values that a patch may move or look at, for ten thousand operations on a long list would keep
// everybody waiting: about a tenth of a second.
constexpr std::size_t work_max = 20'000'000;

// Does the tree fit into so many levels? Counts the values it looks at.
bool fits(const json::value& tree, int levels, std::size_t& looked_at) {
  ++looked_at;
  if (levels < 0) return false;
  if (const json::object* object = tree.if_object()) {
    for (const auto& [key, value] : *object) {
      if (!fits(value, levels - 1, looked_at)) return false;
    }
  } else if (const json::array* array = tree.if_array()) {
    for (const json::value& item : *array) {
      if (!fits(item, levels - 1, looked_at)) return false;
    }
  }
  return true;
}

// "/a~1b/0" → {"a/b", "0"}; what is before the first slash does not count.
std::vector<std::string> parse_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t at = pointer.find('/'); at != std::string_view::npos;) {
    const std::size_t next = pointer.find('/', at + 1);
    std::string token;
    for (std::string_view rest = pointer.substr(at + 1, next - at - 1); !rest.empty();) {
      const bool escaped = rest.starts_with("~0") || rest.starts_with("~1");
      token += !escaped ? rest[0] : rest[1] == '0' ? '~' : '/';
      rest.remove_prefix(escaped ? 2 : 1);
    }
    tokens.push_back(std::move(token));
    at = next;
  }
  return tokens;
}

// An index of an array as Go's Atoi reads it; negative ones count from `size`. None: not an index,
// or out of [0, size).
std::optional<std::size_t> parse_index(std::string_view token, std::size_t size) {
  if (token.starts_with('+')) token.remove_prefix(1);
  std::int64_t index = 0;
  const auto end = token.data() + token.size();
  const auto [stopped, error] = std::from_chars(token.data(), end, index);
  if (error != std::errc() || stopped != end || token.empty()) return std::nullopt;
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || static_cast<std::size_t>(index) >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

json::value* child_of(json::value& parent, std::string_view token) {
  if (json::object* object = parent.if_object()) return object->if_contains(token);
  json::array* array = parent.if_array();
  const auto index = array ? parse_index(token, array->size()) : std::nullopt;
  return index ? &(*array)[*index] : nullptr;
}

// Where a pointer leads: a container, and what it names within. The container is null if the way
// there does not exist.
struct Place {
  json::value* container = nullptr;
  std::string key;

  json::value* value() const { return container ? child_of(*container, key) : nullptr; }
};

struct Operation {
  std::string op, path, from;
  const json::value* value = nullptr;  // null: none was given
};

class Patcher {
 public:
  Patcher(json::value document, const Limits& limits)
      : document_(std::move(document)), limits_(limits) {}
  Result<> apply(const Operation& operation);
  json::value take() { return std::move(document_); }

 private:
  Place find(std::string_view pointer);
  Result<> add(const Operation& operation, json::value value);
  Result<> remove(std::string_view verb, std::string_view pointer);
  Result<> replace(const Operation& operation);
  Result<> move(const Operation& operation);
  Result<> copy(const Operation& operation);
  Result<> test(const Operation& operation);
  Result<> check_depth(std::string_view pointer, const json::value& value);

  json::value document_;
  const Limits& limits_;
  std::size_t copied_bytes_ = 0;
  std::size_t work_ = 0;
};

Place Patcher::find(std::string_view pointer) {
  std::vector<std::string> tokens = parse_pointer(pointer);
  if (tokens.empty()) return {};
  json::value* at = &document_;
  for (std::size_t i = 0; at && i + 1 < tokens.size(); ++i) at = child_of(*at, tokens[i]);
  if (!at || !at->is_structured()) return {};
  return {at, std::move(tokens.back())};
}

// A document must not become deeper than what the decoder would have taken.
Result<> Patcher::check_depth(std::string_view pointer, const json::value& value) {
  const auto above = static_cast<int>(parse_pointer(pointer).size());
  if (fits(value, limits_.json_depth - above, work_)) return {};
  return rejected("the document would be nested deeper than {}, at path: '{}'", limits_.json_depth,
                  pointer);
}

Result<> Patcher::add(const Operation& operation, json::value value) {
  const Place place = find(operation.path);
  if (!place.container) {
    return rejected("{} operation does not apply: doc is missing path: {}: missing value",
                    operation.op, go_quote(operation.path));
  }
  if (auto ok = check_depth(operation.path, value); !ok) return ok;
  if (json::object* object = place.container->if_object()) {
    object->insert_or_assign(place.key, std::move(value));
    return {};
  }
  json::array& array = place.container->get_array();
  const auto index = place.key == "-" ? array.size() : parse_index(place.key, array.size() + 1);
  if (!index) {
    return rejected(
        "error in {} for path: '{}': Unable to access invalid index: {}: invalid index referenced",
        operation.op, operation.path, place.key);
  }
  work_ += array.size() - *index;
  array.insert(array.begin() + *index, std::move(value));
  return {};
}

Result<> Patcher::remove(std::string_view verb, std::string_view pointer) {
  const Place place = find(pointer);
  if (!place.container) {
    return rejected("{} operation does not apply: doc is missing path: {}: missing value", verb,
                    go_quote(pointer));
  }
  if (!place.value()) {
    return rejected(
        "error in {} for path: '{}': Unable to remove nonexistent key: {}: missing value", verb,
        pointer, place.key);
  }
  if (json::object* object = place.container->if_object()) {
    object->erase(place.key);
  } else {
    json::array& array = place.container->get_array();
    const std::size_t index = *parse_index(place.key, array.size());
    work_ += array.size() - index;
    array.erase(array.begin() + index);
  }
  return {};
}

Result<> Patcher::replace(const Operation& operation) {
  if (auto ok = check_depth(operation.path, *operation.value); !ok) return ok;
  if (operation.path.empty()) {
    document_ = *operation.value;
    return {};
  }
  const Place place = find(operation.path);
  if (!place.container) {
    return rejected("replace operation does not apply: doc is missing path: {}: missing value",
                    operation.path);
  }
  if (json::object* object = place.container->if_object()) {
    object->insert_or_assign(place.key, *operation.value);
    return {};
  }
  json::value* value = place.value();
  if (!value) {
    return rejected("replace operation does not apply: doc is missing key: {}: missing value",
                    operation.path);
  }
  *value = *operation.value;
  return {};
}

Result<> Patcher::move(const Operation& operation) {
  const Place from = find(operation.from);
  json::value* value = from.value();
  json::value moved = value ? std::move(*value) : nullptr;
  if (auto ok = remove("move", operation.from); !ok) return ok;
  return add(operation, std::move(moved));
}

Result<> Patcher::copy(const Operation& operation) {
  const Place from = find(operation.from);
  if (!from.container) {
    return rejected("copy operation does not apply: doc is missing from path: {}: missing value",
                    operation.from);
  }
  const json::value* value = from.value();
  if (!value && from.container->is_array()) {
    return rejected(
        "error in copy for from: '{}': Unable to access invalid index: {}: invalid index "
        "referenced",
        operation.from, from.key);
  }
  json::value copied = value ? *value : nullptr;
  // Otherwise a short patch doubles the document with every line.
  copied_bytes_ += to_text(copied).size();
  if (copied_bytes_ > limits_.request_body_bytes) {
    return rejected(
        "Unable to complete the copy, the accumulated size increase of copy is {}, exceeding the "
        "limit {}",
        copied_bytes_, limits_.request_body_bytes);
  }
  return add(operation, std::move(copied));
}

Result<> Patcher::test(const Operation& operation) {
  const json::value* value = &document_;
  if (!operation.path.empty()) {
    const Place place = find(operation.path);
    if (!place.container) {
      return rejected("test operation does not apply: is missing path: {}: missing value",
                      operation.path);
    }
    value = place.value();
    if (!value && place.container->is_array()) {
      return rejected(
          "error in test for path: '{}': Unable to access invalid index: {}: invalid index "
          "referenced",
          operation.path, place.key);
    }
  }
  const bool equal = value ? *value == *operation.value : operation.value->is_null();
  if (equal) return {};
  return rejected("testing value {} failed: test failed", operation.path);
}

Result<> Patcher::apply(const Operation& operation) {
  if (work_ > work_max) return rejected("the patch is too much work: split it");
  if (operation.op == "remove") return remove("remove", operation.path);
  if (operation.op == "move") return move(operation);
  if (operation.op == "copy") return copy(operation);
  const bool takes_value =
      operation.op == "add" || operation.op == "replace" || operation.op == "test";
  if (!takes_value) return rejected("Unexpected kind: {}", operation.op);
  if (!operation.value) {
    return rejected("{} operation for path '{}' has no value", operation.op, operation.path);
  }
  if (operation.op == "add") return add(operation, *operation.value);
  if (operation.op == "replace") return replace(operation);
  return test(operation);
}

std::unexpected<Error> not_a_patch(std::string_view got, std::string_view into) {
  return fail(Reason::BadRequest, "error decoding patch: json: cannot unmarshal {} into Go {}", got,
              into);
}

std::string_view json_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "bool";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    default:
      return "number";
  }
}

Result<Operation> read_operation(const json::value& item) {
  const json::object* object = item.if_object();
  if (!object) return not_a_patch(json_type(item), "value of type handlers.jsonPatchOp");
  Operation operation;
  const std::pair<const char*, std::string*> texts[] = {
      {"op", &operation.op}, {"path", &operation.path}, {"from", &operation.from}};
  for (const auto& [name, text] : texts) {
    const json::value* value = object->if_contains(name);
    if (!value) continue;
    if (!value->is_string()) {
      return not_a_patch(json_type(*value),
                         fmt::format("struct field jsonPatchOp.{} of type string", name));
    }
    *text = view(value->get_string());
  }
  operation.value = object->if_contains("value");
  if (!object->contains("path")) {
    return rejected("{} operation failed to decode path: missing value", operation.op);
  }
  const bool needs_from = operation.op == "move" || operation.op == "copy";
  if (needs_from && !object->contains("from")) {
    return rejected("{} operation failed to decode from: missing value", operation.op);
  }
  return operation;
}

}  // namespace

Result<json::value> json_patch(const json::value& document, const json::value& patch,
                               const Limits& limits) {
  const json::array* operations = patch.if_array();
  if (!operations) return not_a_patch(json_type(patch), "value of type []handlers.jsonPatchOp");
  if (operations->size() > static_cast<std::size_t>(limits.json_patch_operations)) {
    return fail(Reason::RequestEntityTooLarge,
                "The allowed maximum operations in a JSON patch is {}, got {}",
                limits.json_patch_operations, operations->size());
  }
  Patcher patcher(document, limits);
  for (const json::value& item : *operations) {
    auto operation = read_operation(item);
    if (!operation) return std::unexpected(operation.error());
    if (auto done = patcher.apply(*operation); !done) return std::unexpected(done.error());
  }
  return patcher.take();
}

}  // namespace keelson

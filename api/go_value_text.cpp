// JSON as Go prints what it decodes it to.
#include <algorithm>

#include "api/patch.h"

namespace keelson {
namespace {

void append(std::string& out, const json::value& tree);

void append_map(std::string& out, const json::object& object) {
  std::vector<json::string_view> keys;
  for (const auto& [key, value] : object) keys.push_back(key);
  std::ranges::sort(keys);
  out += "map[";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ' ';
    out.append(keys[i]).append(":");
    append(out, object.at(keys[i]));
  }
  out += ']';
}

void append_slice(std::string& out, const json::array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ' ';
    append(out, array[i]);
  }
  out += ']';
}

void append(std::string& out, const json::value& tree) {
  if (const json::object* object = tree.if_object()) return append_map(out, *object);
  if (const json::array* array = tree.if_array()) return append_slice(out, *array);
  if (const json::string* text = tree.if_string()) {
    out.append(text->data(), text->size());
  } else {
    out += tree.is_null() ? "<nil>" : to_text(tree);
  }
}

}  // namespace

std::string go_value_text(const json::value& tree) {
  std::string text;
  append(text, tree);
  return text;
}

}  // namespace keelson

// Tree to text.
#include <charconv>

#include <boost/json/value.hpp>

#include "api/go_text.h"
#include "api/json.h"

namespace keelson {
namespace {

void append_number(std::string& out, auto value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end.ptr);
}

void append_object(std::string& out, const json::object& object) {
  char before = '{';
  for (const auto& [key, value] : object) {
    out += before;
    before = ',';
    append_json_string(out, {key.data(), key.size()});
    out += ':';
    append_json_text(out, value);
  }
  if (before == '{') out += '{';
  out += '}';
}

void append_array(std::string& out, const json::array& array) {
  char before = '[';
  for (const json::value& item : array) {
    out += before;
    before = ',';
    append_json_text(out, item);
  }
  if (before == '[') out += '[';
  out += ']';
}

}  // namespace

void append_json_text(std::string& out, const json::value& tree) {
  switch (tree.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += tree.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      return append_number(out, tree.get_int64());
    case json::kind::uint64:
      return append_number(out, tree.get_uint64());
    case json::kind::double_:
      return append_go_float(out, tree.get_double());
    case json::kind::string:
      return append_json_string(out, view(tree.get_string()));
    case json::kind::array:
      return append_array(out, tree.get_array());
    case json::kind::object:
      return append_object(out, tree.get_object());
  }
}

std::string to_text(const json::value& tree) {
  std::string text;
  append_json_text(text, tree);
  return text;
}

}  // namespace keelson

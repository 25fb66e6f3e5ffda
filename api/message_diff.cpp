// Compares canonical bytes, and the JSON trees where these differ.
#include "api/message_diff.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "api/json.h"
#include "api/protobuf.h"

namespace keelson {
namespace {

constexpr int lines_max = 20;

struct Lines {
  std::string text;
  int count = 0;

  void add(char sign, std::string_view path, const json::value& value) {
    if (++count == lines_max + 1) text += "  …\n";
    if (count > lines_max) return;
    text += sign;
    text.append(" ").append(path).append(": ").append(to_text(value)).append("\n");
  }
};

void compare(std::string_view path, const json::value& before, const json::value& after,
             Lines& lines);

void compare_objects(std::string_view path, const json::object& before, const json::object& after,
                     Lines& lines) {
  const auto child = [&](std::string_view key) {
    return path.empty() ? std::string(key) : std::string(path) + "." + std::string(key);
  };
  for (const auto& [key, value] : before) {
    if (const json::value* now = after.if_contains(key)) {
      compare(child(key), value, *now, lines);
    } else {
      lines.add('-', child(key), value);
    }
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) lines.add('+', child(key), value);
  }
}

void compare_arrays(std::string_view path, const json::array& before, const json::array& after,
                    Lines& lines) {
  const auto item = [&](std::size_t i) {
    return std::string(path) + "[" + std::to_string(i) + "]";
  };
  const std::size_t both = std::min(before.size(), after.size());
  for (std::size_t i = 0; i < both; ++i) compare(item(i), before[i], after[i], lines);
  for (std::size_t i = both; i < before.size(); ++i) lines.add('-', item(i), before[i]);
  for (std::size_t i = both; i < after.size(); ++i) lines.add('+', item(i), after[i]);
}

void compare(std::string_view path, const json::value& before, const json::value& after,
             Lines& lines) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    return compare_objects(path, before.get_object(), after.get_object(), lines);
  }
  if (before.is_array() && after.is_array()) {
    return compare_arrays(path, before.get_array(), after.get_array(), lines);
  }
  lines.add('-', path, before);
  lines.add('+', path, after);
}

}  // namespace

bool is_equal(const Message& before, const Message& after) {
  return canonical_bytes(before) == canonical_bytes(after);
}

std::string difference(const Message& before, const Message& after, std::string_view root) {
  if (is_equal(before, after)) return {};
  Lines lines;
  compare(root, message_to_json(before), message_to_json(after), lines);
  return lines.text;
}

}  // namespace keelson

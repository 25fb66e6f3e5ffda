// JSON text to tree: Boost.JSON's parser over our builder.
#include <algorithm>
#include <cmath>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>

#include "api/json.h"
#include "api/tree_builder.h"

namespace keelson {
namespace {

using Code = json::error_code;

bool in_bounds(bool ok, Code& error) {
  if (!ok) error = json::error::array_too_large;
  return ok;
}

// 1e400 is a number in JSON, but not one that can be kept.
bool is_finite(double value, Code& error) {
  if (std::isfinite(value)) return true;
  error = json::error::exponent_overflow;
  return false;
}

// What every handler of the parser must say, and mostly does not care about.
struct Handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

struct Builder : Handler {
  bool on_object_begin(Code&) { return open(json::object()); }
  bool on_array_begin(Code&) { return open(json::array()); }
  bool on_object_end(std::size_t, Code& error) { return add(tree.close(), error); }
  bool on_array_end(std::size_t, Code& error) { return add(tree.close(), error); }
  bool on_key_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_key(json::string_view part, std::size_t, Code&) {
    append(part);
    tree.key(std::exchange(text, {}));
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_string(json::string_view part, std::size_t, Code& error) {
    if (text.empty()) return add(json::string(part), error);
    append(part);
    return add(json::string(std::exchange(text, {})), error);
  }
  bool on_int64(std::int64_t value, json::string_view, Code& error) { return add(value, error); }
  bool on_uint64(std::uint64_t value, json::string_view, Code& error) { return add(value, error); }
  bool on_double(double value, json::string_view, Code& error) {
    return is_finite(value, error) && add(value, error);
  }
  bool on_bool(bool value, Code& error) { return add(value, error); }
  bool on_null(Code& error) { return add(nullptr, error); }

  bool append(json::string_view part) {
    text.append(part.data(), part.size());
    return true;
  }
  bool open(json::value container) {
    tree.open(std::move(container));
    return true;
  }
  bool add(json::value value, Code& error) { return in_bounds(tree.add(std::move(value)), error); }

  TreeBuilder tree;
  std::string text;  // of a key or string that comes in parts
};

// Takes everything, keeps nothing.
struct Checker : Handler {
  bool on_object_begin(Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code& error) { return count(error); }
  bool on_array_end(std::size_t, Code& error) { return count(error); }
  bool on_key_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_key(json::string_view, std::size_t, Code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code& error) { return count(error); }
  bool on_int64(std::int64_t, json::string_view, Code& error) { return count(error); }
  bool on_uint64(std::uint64_t, json::string_view, Code& error) { return count(error); }
  bool on_double(double value, json::string_view, Code& error) {
    return is_finite(value, error) && count(error);
  }
  bool on_bool(bool, Code& error) { return count(error); }
  bool on_null(Code& error) { return count(error); }

  bool count(Code& error) { return in_bounds(tree.take(1), error); }

  TreeBuilder tree;
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = static_cast<std::size_t>(Limits{}.json_depth);
  return options;
}

// Runs the parser over the whole text; returns where it stopped.
template <typename AnyHandler>
std::size_t run(json::basic_parser<AnyHandler>& parser, std::string_view text, Code& error) {
  const std::size_t taken = parser.write_some(false, text.data(), text.size(), error);
  if (!error && taken < text.size()) error = json::error::extra_data;
  return taken;
}

std::string place(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 on the first line
  return fmt::format("line {}, column {}", line, at - line_begin + 1);
}

}  // namespace

Result<Document> parse_json(std::string_view text) {
  json::basic_parser<Builder> parser(options());
  Code error;
  const std::size_t at = run(parser, text, error);
  if (error) {
    return fail(Reason::BadRequest, "invalid JSON at {}: {}", place(text, at), error.message());
  }
  return std::move(parser.handler().tree.document);
}

bool is_json(std::string_view text) {
  json::basic_parser<Checker> parser(options());
  Code error;
  run(parser, text, error);
  return !error;
}

}  // namespace keelson

// Text to tree: Boost.JSON's parser with a handler that sees keys written twice.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

#include "api/json.h"
#include "base/limits.h"

namespace keelson {
namespace {

// Keys written twice that are told of; what follows is not more interesting.
constexpr std::size_t duplicates_max = 100;

using Code = json::error_code;

// Counts values, so that a document stays within its bounds.
struct Bounds {
  std::size_t values_left = Limits{}.json_values;
  bool take(Code& error) {
    if (values_left-- > 0) return true;
    error = json::error::array_too_large;
    return false;
  }
};

// Builds the tree from the outside in: every open container with the key its next value gets.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open(json::object()); }
  bool on_array_begin(Code&) { return open(json::array()); }
  bool on_object_end(std::size_t, Code& error) { return close(error); }
  bool on_array_end(std::size_t, Code& error) { return close(error); }
  bool on_key_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_key(json::string_view part, std::size_t, Code&) {
    append(part);
    open_.back().key.swap(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_string(json::string_view part, std::size_t, Code& error) {
    if (text_.empty()) return add(json::string(part), error);
    append(part);
    json::string whole(text_);
    text_.clear();
    return add(std::move(whole), error);
  }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, Code& error) { return add(value, error); }
  bool on_uint64(std::uint64_t value, json::string_view, Code& error) { return add(value, error); }
  bool on_double(double value, json::string_view, Code& error) { return add(value, error); }
  bool on_bool(bool value, Code& error) { return add(value, error); }
  bool on_null(Code& error) { return add(nullptr, error); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

  Document document;

 private:
  struct Open {
    json::value container;
    std::string key;
  };

  bool append(json::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool open(json::value container) {
    open_.push_back({std::move(container), {}});
    return true;
  }
  bool close(Code& error) {
    json::value whole = std::move(open_.back().container);
    open_.pop_back();
    return add(std::move(whole), error);
  }
  bool add(json::value value, Code& error);
  std::string path() const;

  std::vector<Open> open_;
  std::string text_;  // of a key or string that comes in parts
  Bounds bounds_;
};

bool TreeBuilder::add(json::value value, Code& error) {
  if (!bounds_.take(error)) return false;
  if (open_.empty()) {
    document.tree = std::move(value);
    return true;
  }
  Open& parent = open_.back();
  if (parent.container.is_array()) {
    parent.container.get_array().push_back(std::move(value));
    return true;
  }
  auto [at, is_new] = parent.container.get_object().emplace(parent.key, std::move(value));
  if (is_new) return true;
  at->value() = std::move(value);  // emplace has not taken it
  if (document.duplicates.size() < duplicates_max) document.duplicates.push_back(path());
  return true;
}

std::string TreeBuilder::path() const {
  std::string text;
  for (const Open& open : open_) {
    if (open.container.is_array()) {
      text += "[" + std::to_string(open.container.get_array().size()) + "]";
    } else {
      if (!text.empty()) text += '.';
      text += open.key;
    }
  }
  return text;
}

// Takes everything, keeps nothing.
struct Checker {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code& error) { return bounds.take(error); }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code& error) { return bounds.take(error); }
  bool on_key_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_key(json::string_view, std::size_t, Code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code& error) { return bounds.take(error); }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code& error) { return bounds.take(error); }
  bool on_uint64(std::uint64_t, json::string_view, Code& error) { return bounds.take(error); }
  bool on_double(double, json::string_view, Code& error) { return bounds.take(error); }
  bool on_bool(bool, Code& error) { return bounds.take(error); }
  bool on_null(Code& error) { return bounds.take(error); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

  Bounds bounds;
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = static_cast<std::size_t>(Limits{}.json_depth);
  return options;
}

// Runs the parser over the whole text; returns where it stopped.
template <typename Handler>
std::size_t run(json::basic_parser<Handler>& parser, std::string_view text, Code& error) {
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
  json::basic_parser<TreeBuilder> parser(options());
  Code error;
  const std::size_t at = run(parser, text, error);
  if (error) {
    return fail(Reason::BadRequest, "invalid JSON at {}: {}", place(text, at), error.message());
  }
  return std::move(parser.handler().document);
}

bool is_json(std::string_view text) {
  json::basic_parser<Checker> parser(options());
  Code error;
  run(parser, text, error);
  return !error;
}

}  // namespace keelson

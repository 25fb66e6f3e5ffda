// fieldsV1: sets of fields as JSON, and their elements as text.
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>

#include "api/field_set.h"
#include "api/go_text.h"
#include "api/json.h"
#include "base/limits.h"

namespace keelson {
namespace {

using Node = FieldSet::Node;

// Of an element's type, in upstream's order; negative: not known.
int rank(char type) {
  switch (type) {
    case 'f':
      return 0;
    case 'k':
      return 1;
    case 'v':
      return 2;
    case 'i':
      return 3;
    default:
      return -1;
  }
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c >= ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
  });
}

// As inside a JSON string.
void append_escaped(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
    return;
  }
  const std::size_t before = out.size();
  append_json_string(out, text);
  out.erase(before, 1);
  out.pop_back();
}

// A string as JSON, escaped once more.
void append_quoted(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out.append("\\\"").append(text).append("\\\"");
    return;
  }
  std::string quoted;
  append_json_string(quoted, text);
  append_escaped(out, quoted);
}

void append_scalar(std::string& out, const ScalarValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return append_quoted(out, *text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

std::string unescape(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return std::string(text);
  json::error_code error;
  json::value parsed = json::parse("\"" + std::string(text) + "\"", error);
  if (error || !parsed.is_string()) return std::string(text);
  return std::string(parsed.get_string().data(), parsed.get_string().size());
}

bool is_number_char(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// Where the number begins that `at` is part of; none if it stands in a string.
std::size_t number_around(std::string_view text, std::size_t at) {
  bool in_string = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\\') {
      const std::size_t first = i;
      while (i < text.size() && text[i] == '\\') ++i;
      if (i < text.size() && text[i] == '"' && i - first == 1) in_string = !in_string;
      begin = i + 1;
    } else if (!is_number_char(text[i])) {
      begin = i + 1;
    }
  }
  return in_string || begin > at ? std::string_view::npos : begin;
}

// Keys and values: like their texts, but that numbers count as what they are.
int compare_values(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (at < shorter && a[at] == b[at]) ++at;
  const auto digit_at = [&](std::string_view text) {
    return at < text.size() && is_number_char(text[at]);
  };
  if (digit_at(a) || digit_at(b)) {
    const std::size_t begin = number_around(a, at);
    double in_a = 0, in_b = 0;
    if (begin != std::string_view::npos &&
        std::from_chars(a.data() + begin, a.data() + a.size(), in_a).ec == std::errc() &&
        std::from_chars(b.data() + begin, b.data() + b.size(), in_b).ec == std::errc() &&
        in_a != in_b) {
      return in_a < in_b ? -1 : 1;
    }
  }
  return a.compare(b);
}

// ---- reading

// Recursive descent over JSON that is objects only. What it leaves behind is sorted and in our
// escapes, or `odd` is set.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool read(FieldSetBuilder& out) { return object(out, 0) && (skip_space(), at_ == text_.size()); }
  bool odd = false;  // well-formed, but not as we write it

 private:
  bool object(FieldSetBuilder& out, int depth);
  bool member(FieldSetBuilder& out, FieldElement& previous, int depth);
  bool pass_over(int depth);
  bool raw_string(std::string_view& raw);
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \n\t\r", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool Reader::raw_string(std::string_view& raw) {
  if (!take('"')) return false;
  const std::size_t begin = at_;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    const char c = text_[at_];
    if (c == '<' || c == '>' || c == '&') odd = true;
    if (c != '\\') continue;
    ++at_;
    if (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') odd = true;
  }
  if (at_ >= text_.size()) return false;
  raw = text_.substr(begin, at_++ - begin);
  return true;
}

// The value of "." and of elements that are not known.
bool Reader::pass_over(int depth) {
  if (text_.substr(at_, 2) == "{}") {
    at_ += 2;
    return true;
  }
  FieldSetBuilder ignored;
  ignored.open({});
  return object(ignored, depth);
}

// `"f:x":{…}`
bool Reader::member(FieldSetBuilder& out, FieldElement& previous, int depth) {
  std::string_view key;
  if (!raw_string(key) || !take(':')) return false;
  if (key == ".") {
    if (depth > 0) out.mark();
    return pass_over(depth + 1);
  }
  if (key.size() < 2 || key[1] != ':') return false;
  const FieldElement element{key[0], key.substr(2)};
  if (rank(element.type) < 0) {
    odd = true;
    return pass_over(depth + 1);
  }
  if (previous.text.data() && compare(previous, element) >= 0) odd = true;
  previous = element;
  out.open(element);
  const bool ok = object(out, depth + 1);
  out.close();
  return ok;
}

// An element with nothing below is a member itself.
bool Reader::object(FieldSetBuilder& out, int depth) {
  if (depth > Limits{}.json_depth || !take('{')) return false;
  if (take('}')) {
    if (depth > 0) out.mark();
    return true;
  }
  FieldElement previous;
  do {
    if (!member(out, previous, depth)) return false;
  } while (take(','));
  return take('}');
}

// The slow way, for what others have written: sorts, and escapes as we do.
void rebuild(const json::object& object, FieldSetBuilder& out, TextPool& pool) {
  struct Child {
    FieldElement element;
    const json::object* below;
  };
  std::vector<Child> members;
  for (const auto& [key, value] : object) {
    const std::string_view name(key.data(), key.size());
    if (name == "." || rank(name[0]) < 0) continue;
    std::string text;
    append_escaped(text, name.substr(2));
    members.push_back({{name[0], pool.keep(text)}, &value.get_object()});
  }
  std::ranges::sort(
      members, [](const Child& a, const Child& b) { return compare(a.element, b.element) < 0; });
  const auto same = [](const Child& a, const Child& b) { return a.element == b.element; };
  members.erase(std::ranges::unique(members, same).begin(), members.end());
  for (const Child& child : members) {
    out.open(child.element);
    if (child.below->empty() || child.below->contains(".")) out.mark();
    rebuild(*child.below, out, pool);
    out.close();
  }
}

// ---- writing

void append_element(std::string& out, const FieldElement& element) {
  out += '"';
  out += element.type;
  out += ':';
  out += element.text;
  out += "\":";
}

void append_children(std::string& out, const Node* begin, const Node* end, bool member) {
  out += '{';
  if (member && begin != end) out += "\".\":{},";
  for (const Node* node = begin; node != end; node += node->size) {
    append_element(out, node->element);
    append_children(out, node + 1, node + node->size, node->member);
    out += ',';
  }
  if (out.back() == ',') out.pop_back();
  out += '}';
}

std::string value_text(const json::value& value) {
  if (const json::string* text = value.if_string()) {
    return go_quote({text->data(), text->size()});
  }
  return to_text(value);
}

void append_paths(std::vector<std::string>& out, const std::string& above, const Node* begin,
                  const Node* end) {
  for (const Node* node = begin; node != end; node += node->size) {
    if (node->member) out.push_back(above + path_text(node->element));
  }
  for (const Node* node = begin; node != end; node += node->size) {
    if (node->size == 1) continue;
    append_paths(out, above + path_text(node->element), node + 1, node + node->size);
  }
}

}  // namespace

std::string path_text(const FieldElement& element) {
  const std::string text = unescape(element.text);
  if (element.type == 'f') return "." + text;
  if (element.type == 'i') return "[" + text + "]";
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (element.type == 'v') return "[=" + value_text(value) + "]";
  std::string keys;
  if (const json::object* object = value.if_object()) {
    for (const auto& [name, key] : *object) {
      if (!keys.empty()) keys += ',';
      keys.append(name).append("=").append(value_text(key));
    }
  }
  return "[" + keys + "]";
}

bool operator==(const FieldElement& a, const FieldElement& b) {
  return a.type == b.type && a.text == b.text;
}

int compare(const FieldElement& a, const FieldElement& b) {
  if (a.type != b.type) return rank(a.type) - rank(b.type);
  return a.type == 'f' ? a.text.compare(b.text) : compare_values(a.text, b.text);
}

FieldElement field_element(std::string_view name, TextPool& pool) {
  if (is_plain(name)) return {'f', name};
  std::string text;
  append_escaped(text, name);
  return {'f', pool.keep(text)};
}

FieldElement key_element(const std::vector<std::pair<std::string_view, ScalarValue>>& keys,
                         TextPool& pool) {
  std::string text = "{";
  for (const auto& [name, value] : keys) {
    if (text.size() > 1) text += ',';
    append_quoted(text, name);
    text += ':';
    append_scalar(text, value);
  }
  text += '}';
  return {'k', pool.keep(text)};
}

FieldElement value_element(const ScalarValue& value, TextPool& pool) {
  std::string text;
  append_scalar(text, value);
  return {'v', pool.keep(text)};
}

Result<FieldSet> FieldSet::parse(std::string_view fields_v1, TextPool& pool) {
  FieldSetBuilder out(fields_v1.size() / 16);
  Reader reader(fields_v1);
  if (!reader.read(out)) {
    return fail(Reason::BadRequest, "fields that are not FieldsV1: {}",
                go_quote(fields_v1.substr(0, 100)));
  }
  if (!reader.odd) return out.take();
  auto document = parse_json(fields_v1);
  if (!document) return std::unexpected(document.error());
  FieldSetBuilder sorted;
  rebuild(document->tree.get_object(), sorted, pool);
  return sorted.take();
}

std::string FieldSet::to_fields_v1() const {
  std::string out;
  out.reserve(24 * nodes_.size() + 2);
  append_children(out, nodes_.data(), nodes_.data() + nodes_.size(), false);
  return out;
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  append_paths(out, "", nodes_.data(), nodes_.data() + nodes_.size());
  return out;
}

}  // namespace keelson

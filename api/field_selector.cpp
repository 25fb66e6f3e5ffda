// Field selectors: the grammar of k8s.io/apimachinery's fields package.
#include <algorithm>

#include "api/go_text.h"
#include "api/kinds.h"
#include "api/selector.h"

namespace keelson {
namespace {

struct FieldText {
  std::string path, value;
  bool equal = true;
};

// The terms between commas; a backslash before a comma, '=' or backslash takes its meaning away.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  terms.push_back(text.substr(begin));
  return terms;
}

Result<std::string> unescape(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      if (value[i] == '=' || value[i] == ',') {
        return fail(Reason::BadRequest, "invalid field selector: unescaped character in value: {}",
                    value[i]);
      }
      text += value[i];
      continue;
    }
    const std::string_view escaped = value.substr(i + 1, 1);
    if (escaped != "\\" && escaped != "," && escaped != "=") {
      return fail(Reason::BadRequest, "invalid field selector: invalid escape sequence: {}",
                  value.substr(i, 2));
    }
    text += escaped;
    ++i;
  }
  return text;
}

Result<FieldText> parse_term(std::string_view selector, std::string_view term) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    for (std::string_view op : {"!=", "==", "="}) {
      if (!term.substr(i).starts_with(op)) continue;
      auto value = unescape(term.substr(i + op.size()));
      if (!value) return std::unexpected(value.error());
      return FieldText{std::string(term.substr(0, i)), std::move(*value), op != "!="};
    }
  }
  return fail(Reason::BadRequest, "invalid selector: '{}'; can't understand '{}'", selector, term);
}

constexpr int name_field = -1, name_space_field = -2, unknown_field = -3;

int field_index(const Kind& kind, std::string_view path) {
  if (path == "metadata.name") return name_field;
  if (path == "metadata.namespace") return name_space_field;
  auto known = std::ranges::find(kind.selectable_fields, path, &SelectableField::path);
  if (known == kind.selectable_fields.end()) return unknown_field;
  return static_cast<int>(known - kind.selectable_fields.begin());
}

const std::string& field_value(const Object& object, int field) {
  if (field == name_field) return object.name;
  if (field == name_space_field) return object.name_space;
  return object.fields[static_cast<std::size_t>(field)];
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(const Kind& kind, std::string_view text) {
  FieldSelector selector;
  for (std::string_view part : split_terms(text)) {
    if (part.empty()) continue;
    auto term = parse_term(text, part);
    if (!term) return std::unexpected(term.error());
    const int field = field_index(kind, term->path);
    if (field == unknown_field && kind.selectable_fields.empty()) {
      return fail(Reason::BadRequest,
                  "{} is not a known field selector: only \"metadata.name\", "
                  "\"metadata.namespace\"",
                  go_quote(term->path));
    }
    if (field == unknown_field) {
      return fail(Reason::BadRequest, "field label not supported: {}", term->path);
    }
    selector.terms_.push_back({std::move(term->path), std::move(term->value), term->equal, field});
  }
  return selector;
}

bool FieldSelector::matches(const Object& object) const {
  return std::ranges::all_of(terms_, [&](const Term& term) {
    return (field_value(object, term.field) == term.value) == term.equal;
  });
}

const std::string* FieldSelector::equals(std::string_view path) const {
  auto term =
      std::ranges::find_if(terms_, [&](const Term& one) { return one.equal && one.path == path; });
  return term == terms_.end() ? nullptr : &term->value;
}

}  // namespace keelson

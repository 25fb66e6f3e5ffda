// Findings about fields, in the words of k8s.io/apimachinery's field.Error.
#include "api/field_errors.h"

#include <algorithm>

#include "api/go_text.h"

namespace keelson {

FieldPath FieldPath::operator/(std::string_view child) const {
  return FieldPath(text_.empty() ? std::string(child) : text_ + "." + std::string(child));
}

FieldPath FieldPath::operator[](std::size_t index) const {
  return FieldPath(fmt::format("{}[{}]", text_, index));
}

FieldPath FieldPath::key(std::string_view key) const {
  return FieldPath(fmt::format("{}[{}]", text_, key));
}

namespace {

std::string with_detail(std::string_view what, std::string_view detail) {
  return detail.empty() ? std::string(what) : fmt::format("{}: {}", what, detail);
}

}  // namespace

void FieldErrors::add(std::string_view reason, const FieldPath& path, std::string message) {
  causes_.push_back({std::string(reason), std::move(message), path.text()});
}

void FieldErrors::required(const FieldPath& path, std::string_view detail) {
  add("FieldValueRequired", path, with_detail("Required value", detail));
}

void FieldErrors::invalid(const FieldPath& path, std::string_view value, std::string_view detail) {
  invalid_raw(path, go_quote(value), detail);
}

void FieldErrors::invalid_number(const FieldPath& path, std::int64_t value,
                                 std::string_view detail) {
  invalid_raw(path, std::to_string(value), detail);
}

void FieldErrors::invalid_raw(const FieldPath& path, std::string_view value,
                              std::string_view detail) {
  add("FieldValueInvalid", path, with_detail(fmt::format("Invalid value: {}", value), detail));
}

void FieldErrors::not_supported(const FieldPath& path, std::string_view value,
                                const std::vector<std::string_view>& supported) {
  not_supported_raw(path, go_quote(value), supported);
}

void FieldErrors::not_supported_raw(const FieldPath& path, std::string_view value,
                                    const std::vector<std::string_view>& supported) {
  std::string list;
  for (std::string_view one : supported) {
    list += (list.empty() ? "supported values: " : ", ") + go_quote(one);
  }
  add("FieldValueNotSupported", path,
      with_detail(fmt::format("Unsupported value: {}", value), list));
}

void FieldErrors::forbidden(const FieldPath& path, std::string_view detail) {
  add("FieldValueForbidden", path, with_detail("Forbidden", detail));
}

void FieldErrors::duplicate(const FieldPath& path, std::string_view value) {
  duplicate_raw(path, go_quote(value));
}

void FieldErrors::duplicate_raw(const FieldPath& path, std::string_view value,
                                std::string_view detail) {
  add("FieldValueDuplicate", path, with_detail(fmt::format("Duplicate value: {}", value), detail));
}

void FieldErrors::not_found(const FieldPath& path, std::string_view value,
                            std::string_view detail) {
  add("FieldValueNotFound", path,
      with_detail(fmt::format("Not found: {}", go_quote(value)), detail));
}

void FieldErrors::too_long(const FieldPath& path, std::size_t max_bytes) {
  add("FieldValueTooLong", path,
      fmt::format("Too long: may not be more than {} {}", max_bytes,
                  max_bytes == 1 ? "byte" : "bytes"));
}

void FieldErrors::too_many(const FieldPath& path, std::size_t count, std::size_t max) {
  add("FieldValueTooMany", path,
      fmt::format("Too many: {}: must have at most {} {}", count, max,
                  max == 1 ? "item" : "items"));
}

Error FieldErrors::to_error(std::string_view group, std::string_view kind,
                            std::string_view name) const {
  std::vector<std::string> texts;
  for (const Cause& cause : causes_) {
    std::string text = cause.field + ": " + cause.message;
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + text;
  if (texts.size() > 1) list = "[" + list + "]";
  auto details = std::make_shared<ErrorDetails>();
  details->group = group;
  details->kind = kind;
  details->name = name;
  details->causes = causes_;
  std::string qualified_kind(kind);
  if (!group.empty()) qualified_kind.append(".").append(group);
  return Error{Reason::Invalid,
               fmt::format("{} {} is invalid: {}", qualified_kind, go_quote(name), list), details};
}

}  // namespace keelson

// Paths and modes of files in volumes.
#include "api/pod_spec/parts.h"

namespace keelson::pod_spec {

void check_mode(const FieldPath& path, bool is_set, std::int32_t mode, FieldErrors& errors) {
  if (!is_set || (mode >= 0 && mode <= 0777)) return;
  errors.invalid_number(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

void check_no_parent(const FieldPath& path, std::string_view value, FieldErrors& errors) {
  for (std::string_view rest = value; true;) {
    const auto slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return errors.invalid(path, value, "must not contain '..'");
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

void check_relative(const FieldPath& path, std::string_view value, FieldErrors& errors) {
  if (value.starts_with('/')) errors.invalid(path, value, "must be a relative path");
  check_no_parent(path, value, errors);
}

void check_relative_unreserved(const FieldPath& path, std::string_view value, FieldErrors& errors) {
  check_relative(path, value, errors);
  // "..x" is what a volume's own links begin with; ".." alone was said already.
  if (value.starts_with("..") && value != ".." && !value.starts_with("../")) {
    errors.invalid(path, value, "must not start with '..'");
  }
}

}  // namespace keelson::pod_spec

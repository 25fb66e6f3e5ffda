// All that is wrong with an object at once: paths, values and remedies in Kubernetes' words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace keelson {

// "spec.containers[0].image", built on the way down: path / "spec" / "containers" at 0.
class FieldPath {
 public:
  FieldPath() = default;
  explicit FieldPath(std::string root) : text_(std::move(root)) {}
  FieldPath operator/(std::string_view child) const;
  FieldPath operator[](std::size_t index) const;
  FieldPath key(std::string_view key) const;  // labels[app]
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Collects causes. One call per finding; the words around the value are Kubernetes' own.
class FieldErrors {
 public:
  void required(const FieldPath& path, std::string_view detail = {});
  void invalid(const FieldPath& path, std::string_view value,
               std::string_view detail);  // quotes the value
  void invalid_number(const FieldPath& path, std::int64_t value, std::string_view detail);
  // The value as it shall stand in the text, already in Go's notation for structs and lists.
  void invalid_raw(const FieldPath& path, std::string_view value, std::string_view detail);
  void not_supported(const FieldPath& path, std::string_view value,
                     const std::vector<std::string_view>& supported);
  void not_supported_raw(const FieldPath& path, std::string_view value,
                         const std::vector<std::string_view>& supported);
  void forbidden(const FieldPath& path, std::string_view detail);
  void duplicate(const FieldPath& path, std::string_view value);
  void duplicate_raw(const FieldPath& path, std::string_view value, std::string_view detail = {});
  void not_found(const FieldPath& path, std::string_view value, std::string_view detail = {});
  void too_long(const FieldPath& path, std::size_t max_bytes);
  void too_many(const FieldPath& path, std::size_t count, std::size_t max);

  bool empty() const { return causes_.empty(); }
  const std::vector<Cause>& causes() const { return causes_; }
  // 422 Invalid: `Pod "x" is invalid: [a, b]`, causes in details. kind is the Kind, not the
  // resource.
  Error to_error(std::string_view group, std::string_view kind, std::string_view name) const;

 private:
  void add(std::string_view reason, const FieldPath& path, std::string message);
  std::vector<Cause> causes_;
};

}  // namespace keelson

// ConfigMap: plain configuration by key.
#include "api/proto/core/v1/config_map.pb.h"

#include <map>

#include "api/cells.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

constexpr std::size_t data_bytes_max = 1024 * 1024;  // Kubernetes' MaxSecretSize

template <typename Map>
std::map<std::string, std::string> ordered(const Map& map) {
  return {map.begin(), map.end()};
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& config = as<core::ConfigMap>(message);
  std::size_t bytes = 0;
  for (const auto& [key, value] : ordered(config.data())) {
    const FieldPath at = FieldPath("data").key(key);
    check_value(at, key, check_config_key, errors);
    if (config.binarydata().contains(key)) {
      errors.invalid(at, key, "duplicate of key present in binaryData");
    }
    bytes += value.size();
  }
  for (const auto& [key, value] : ordered(config.binarydata())) {
    check_value(FieldPath("binaryData").key(key), key, check_config_key, errors);
    bytes += value.size();
  }
  if (bytes > data_bytes_max) errors.too_long(FieldPath(), data_bytes_max);
}

void validate_update(const Message& before_message, const Message& after_message,
                     FieldErrors& errors) {
  const auto& before = as<core::ConfigMap>(before_message);
  const auto& after = as<core::ConfigMap>(after_message);
  if (!before.immutable()) return;
  constexpr std::string_view why = "field is immutable when `immutable` is set";
  if (!after.immutable()) errors.forbidden(FieldPath("immutable"), why);
  if (ordered(before.data()) != ordered(after.data())) errors.forbidden(FieldPath("data"), why);
  if (ordered(before.binarydata()) != ordered(after.binarydata())) {
    errors.forbidden(FieldPath("binaryData"), why);
  }
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& config = as<core::ConfigMap>(message);
  return {config.metadata().name(),
          static_cast<std::int64_t>(config.data().size() + config.binarydata().size()),
          age_cell(config.metadata(), now)};
}

}  // namespace

const Kind& kinds::config_map() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "ConfigMap",
      .plural = "configmaps",
      .singular = "configmap",
      .short_names = {"cm"},
      .prototype = &core::ConfigMap::default_instance(),
      .columns = {name_column(),
                  {.name = "Data", .description = "How many keys there are."},
                  age_column()},
      .row = cells,
      .validate = validate,
      .validate_update = validate_update,
  };
  return row;
}

}  // namespace keelson

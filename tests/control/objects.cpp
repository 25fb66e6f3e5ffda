// ConfigMaps that carry one value.
#include "tests/control/objects.h"

#include "api/proto/core/v1/config_map.pb.h"

namespace keelson {

ObjectPtr config_map_object(std::string_view key, std::string_view value, Revision revision) {
  const auto [name_space, name] = split_key(key);
  core::ConfigMap message;
  message.mutable_metadata()->set_namespace_(std::string(name_space));
  message.mutable_metadata()->set_name(std::string(name));
  message.mutable_metadata()->set_uid("uid-" + std::string(key));
  message.mutable_metadata()->set_resourceversion(std::to_string(revision));
  (*message.mutable_data())["value"] = value;
  return make_object(kinds::config_map(), message);
}

std::string value_of(const Object& object) {
  return decode<core::ConfigMap>(object).data().at("value");
}

}  // namespace keelson

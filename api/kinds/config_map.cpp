// ConfigMap: plain configuration by key.
#include "api/proto/core/v1/config_map.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::config_map() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "ConfigMap",
      .plural = "configmaps",
      .singular = "configmap",
      .short_names = {"cm"},
      .prototype = &core::ConfigMap::default_instance(),
  };
  return row;
}

}  // namespace keelson

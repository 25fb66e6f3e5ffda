// The tests' own kinds.
#include "tests/api/rows.h"

#include "api/proto/apps/v1.pb.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"

namespace keelson {

const Kind& test_pod() {
  static const Kind kind{
      .group = "",
      .version = "v1",
      .kind = "Pod",
      .plural = "pods",
      .singular = "pod",
      .prototype = &core::Pod::default_instance(),
      .selectable_fields = {{.path = "spec.nodeName",
                             .value =
                                 [](const Message& message) {
                                   return static_cast<const core::Pod&>(message).spec().nodename();
                                 },
                             .indexed = true},
                            {.path = "status.phase", .value = [](const Message& message) {
                               return static_cast<const core::Pod&>(message).status().phase();
                             }}}};
  return kind;
}

const Kind& test_config_map() {
  static const Kind kind{.group = "",
                         .version = "v1",
                         .kind = "ConfigMap",
                         .plural = "configmaps",
                         .singular = "configmap",
                         .prototype = &core::ConfigMap::default_instance()};
  return kind;
}

const Kind& test_deployment() {
  static const Kind kind{.group = "apps",
                         .version = "v1",
                         .kind = "Deployment",
                         .plural = "deployments",
                         .singular = "deployment",
                         .prototype = &apps::Deployment::default_instance()};
  return kind;
}

}  // namespace keelson

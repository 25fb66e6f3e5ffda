// ReplicaSet: so many pods of one template.
#include "api/proto/apps/v1.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::replica_set() {
  static const Kind row = {
      .group = "apps",
      .version = "v1",
      .kind = "ReplicaSet",
      .plural = "replicasets",
      .singular = "replicaset",
      .short_names = {"rs"},
      .categories = {"all"},
      .prototype = &apps::ReplicaSet::default_instance(),
      .subresources = {{.name = "scale",
                        .verbs = status_verbs,
                        .group = "autoscaling",
                        .version = "v1",
                        .kind = "Scale"},
                       {.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"status.replicas",
                             [](const Message& m) {
                               return std::to_string(as<apps::ReplicaSet>(m).status().replicas());
                             }}},
      .prepare_create = drop_status<apps::ReplicaSet>,
      .prepare_update = keep_status<apps::ReplicaSet>,
      .prepare_status_update = keep_spec<apps::ReplicaSet>,
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson

// Deployment: replica sets that take over from one another.
#include "api/proto/apps/v1.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::deployment() {
  static const Kind row = {
      .group = "apps",
      .version = "v1",
      .kind = "Deployment",
      .plural = "deployments",
      .singular = "deployment",
      .short_names = {"deploy"},
      .categories = {"all"},
      .prototype = &apps::Deployment::default_instance(),
      .subresources = {{.name = "scale",
                        .verbs = status_verbs,
                        .group = "autoscaling",
                        .version = "v1",
                        .kind = "Scale"},
                       {.name = "status", .verbs = status_verbs}},
      .prepare_create = drop_status<apps::Deployment>,
      .prepare_update = keep_status<apps::Deployment>,
      .prepare_status_update = keep_spec<apps::Deployment>,
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson

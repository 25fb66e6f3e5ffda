// PriorityClass: a name for how much a pod matters.
#include "api/proto/scheduling/v1.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::priority_class() {
  static const Kind row = {
      .group = "scheduling.k8s.io",
      .version = "v1",
      .kind = "PriorityClass",
      .plural = "priorityclasses",
      .singular = "priorityclass",
      .short_names = {"pc"},
      .scope = Scope::Cluster,
      .prototype = &scheduling::PriorityClass::default_instance(),
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson

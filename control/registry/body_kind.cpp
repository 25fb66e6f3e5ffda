// Rows that are bodies only: no list has them and no URL is theirs.
#include "api/proto/autoscaling/v1.pb.h"
#include "api/proto/core/v1/pod_options.pb.h"
#include "control/registry/registry.h"

namespace keelson {

const Kind& body_kind(const Kind& kind, std::string_view subresource) {
  static const Kind scale = {.group = "autoscaling",
                             .version = "v1",
                             .kind = "Scale",
                             .plural = "scales",
                             .singular = "scale",
                             .prototype = &autoscaling::Scale::default_instance(),
                             .verbs = {}};
  static const Kind binding = {.group = "",
                               .version = "v1",
                               .kind = "Binding",
                               .plural = "bindings",
                               .singular = "binding",
                               .prototype = &core::Binding::default_instance(),
                               .verbs = {}};
  if (subresource == "scale") return scale;
  if (subresource == "binding") return binding;
  return kind;
}

}  // namespace keelson

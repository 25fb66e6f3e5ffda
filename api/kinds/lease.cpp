// Lease: who holds something, and until when; a node's heartbeat.
#include "api/proto/coordination/v1.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::lease() {
  static const Kind row = {
      .group = "coordination.k8s.io",
      .version = "v1",
      .kind = "Lease",
      .plural = "leases",
      .singular = "lease",
      .prototype = &coordination::Lease::default_instance(),
      .unconditional_update = false,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson

// EndpointSlice: some of the addresses behind a Service, and whether they take traffic.
#include "api/proto/discovery/v1.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::endpoint_slice() {
  static const Kind row = {
      .group = "discovery.k8s.io",
      .version = "v1",
      .kind = "EndpointSlice",
      .plural = "endpointslices",
      .singular = "endpointslice",
      .prototype = &discovery::EndpointSlice::default_instance(),
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson

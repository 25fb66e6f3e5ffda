// Endpoints: the older list of a Service's addresses.
#include "api/proto/core/v1/endpoints.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::endpoints() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Endpoints",
      .plural = "endpoints",
      .singular = "endpoints",
      .short_names = {"ep"},
      .prototype = &core::Endpoints::default_instance(),
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson

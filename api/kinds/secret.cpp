// Secret: bytes by key that are nobody else's business.
#include "api/proto/core/v1/secret.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::secret() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Secret",
      .plural = "secrets",
      .singular = "secret",
      .prototype = &core::Secret::default_instance(),
      .selectable_fields = {{"type", [](const Message& m) { return as<core::Secret>(m).type(); }}},
  };
  return row;
}

}  // namespace keelson

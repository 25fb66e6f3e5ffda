// ServiceAccount: the identity a pod runs as.
#include "api/proto/core/v1/service_account.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::service_account() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "ServiceAccount",
      .plural = "serviceaccounts",
      .singular = "serviceaccount",
      .short_names = {"sa"},
      .prototype = &core::ServiceAccount::default_instance(),
  };
  return row;
}

}  // namespace keelson

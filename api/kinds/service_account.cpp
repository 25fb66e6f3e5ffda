// ServiceAccount: the identity a pod runs as.
#include "api/proto/core/v1/service_account.pb.h"

#include "api/cells.h"
#include "api/row.h"

namespace keelson {
namespace {

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& account = as<core::ServiceAccount>(message);
  return {account.metadata().name(), static_cast<std::int64_t>(account.secrets_size()),
          age_cell(account.metadata(), now)};
}

}  // namespace

const Kind& kinds::service_account() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "ServiceAccount",
      .plural = "serviceaccounts",
      .singular = "serviceaccount",
      .short_names = {"sa"},
      .prototype = &core::ServiceAccount::default_instance(),
      .columns = {name_column(),
                  {.name = "Secrets", .description = "How many secrets it lists."},
                  age_column()},
      .row = cells,
  };
  return row;
}

}  // namespace keelson

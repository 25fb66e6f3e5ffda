// Lease: who holds something, and until when; a node's heartbeat.
#include "api/proto/coordination/v1.pb.h"

#include "api/cells.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

void validate(const Message& message, FieldErrors& errors) {
  const coordination::LeaseSpec& spec = as<coordination::Lease>(message).spec();
  const FieldPath path("spec");
  if (spec.has_leasedurationseconds() && spec.leasedurationseconds() <= 0) {
    errors.invalid_number(path / "leaseDurationSeconds", spec.leasedurationseconds(),
                          "must be greater than 0");
  }
  check_non_negative(path / "leaseTransitions", spec.leasetransitions(), errors);
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& lease = as<coordination::Lease>(message);
  return {lease.metadata().name(), lease.spec().holderidentity(), age_cell(lease.metadata(), now)};
}

}  // namespace

const Kind& kinds::lease() {
  static const Kind row = {
      .group = "coordination.k8s.io",
      .version = "v1",
      .kind = "Lease",
      .plural = "leases",
      .singular = "lease",
      .prototype = &coordination::Lease::default_instance(),
      .columns = {name_column(),
                  {.name = "Holder", .description = "Who holds the lease."},
                  age_column()},
      .row = cells,
      .validate = validate,
      .unconditional_update = false,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson

// Fields that an applier wants and others own with other values.
#pragma once

#include <vector>

#include "api/managed_fields.h"

namespace keelson {

struct ApplyConflict {
  const ManagedEntry* with;
  FieldSet fields;
};

// Sorted by manager. own is passed over.
std::vector<ApplyConflict> conflicts_with(std::vector<ManagedEntry>& entries,
                                          const ManagedEntry& own, const FieldSet& changed);

// Without these fields; a conflict about nothing is none.
std::vector<ApplyConflict> without(std::vector<ApplyConflict> conflicts, const FieldSet& allowed);

// 409 in upstream's words, with a cause for each field.
Error conflict_error(const std::vector<ApplyConflict>& conflicts);

}  // namespace keelson

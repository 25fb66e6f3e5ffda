// Server-side apply: who owns which field (metadata.managedFields), and what an applied
// configuration changes. Works on JSON trees, for protobuf cannot tell empty from absent.
// API-BEHAVIOUR §6 and §15.
#pragma once

#include <optional>

#include "api/json.h"
#include "base/clock.h"

namespace keelson {

// Who writes, and through which door.
struct FieldManager {
  std::string name;         // at most 128 printable characters
  std::string subresource;  // "" or "status", "scale" …
};

// After a create, update or patch: what differs between the trees now belongs to this manager
// (operation Update). Sets after's metadata.managedFields; before is null for a create. Clears them
// if after asks for it with [{}]. An entry's time changes only if its fields do.
void track_update(const Kind& kind, const json::object* before, json::object& after,
                  const FieldManager& manager, WallTime now);

struct Applied {
  json::object tree;  // with managedFields
};
// live is null when the object is to be created. Conflict (409): a cause FieldManagerConflict for
// each field that another manager owns with another value, unless force.
Result<Applied> apply_configuration(const Kind& kind, const json::object* live,
                                    const json::object& configuration, const FieldManager& manager,
                                    bool force, WallTime now);

}  // namespace keelson

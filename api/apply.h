// Server-side apply: who owns which field (metadata.managedFields), and what an applied
// configuration changes. API-BEHAVIOUR §6 and §15.
#pragma once

#include <memory>

#include "api/json.h"
#include "api/object.h"
#include "base/clock.h"

namespace keelson {

// Who writes, and through which door.
struct FieldManager {
  std::string name;              // at most 128 printable characters; empty: "unknown"
  std::string subresource = {};  // "", "status", "scale" …
};

// After a create, an update or any patch but apply: what differs between before and after now
// belongs to this manager, and to nobody else (operation Update). Sets after's
// metadata.managedFields, taking what the request says of them for a wish: through the main
// resource they may be edited, and [{}] clears them. What this door cannot write (status, or spec
// through /status) is passed over, and so is metadata that the server writes. Call it when the
// request's object is decoded and defaulted, before admission and prepare_*: what the server adds
// belongs to nobody.
// before is null for a create. A write of /scale is an update of the parent with subresource
// "scale".
void track_update(const Kind& kind, const Object* before, Message& after,
                  const FieldManager& manager, WallTime now);

// The object as an applied configuration wants it: decoded, not defaulted, with managedFields set
// (so do not track it again). before is null when it is to be created.
// Conflict (409): a cause FieldManagerConflict for each field that another manager owns with
// another value, unless force. BadRequest: not this kind's. Unknown (500, as upstream): fields that
// the schema does not know, or values of a wrong type.
Result<std::unique_ptr<Message>> apply_configuration(const Kind& kind, const Object* before,
                                                     const json::object& configuration,
                                                     const FieldManager& manager, bool force,
                                                     WallTime now);

}  // namespace keelson

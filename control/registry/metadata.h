// The metadata that the system sets and clients do not.
#pragma once

#include "api/proto/meta/v1/object_meta.pb.h"
#include "base/random.h"
#include "control/registry/registry.h"

namespace keelson {

// BadRequest: the body names another namespace than the URL. An empty one becomes the URL's.
Result<> match_namespace(const Target& target, meta::ObjectMeta& metadata);
// BadRequest: the body of an update names another object than the URL, or none.
Result<> match_name(const Target& target, const meta::ObjectMeta& metadata);

// A new object's: uid, creation time, first generation; nothing of a deletion.
void begin_metadata(const Kind& kind, meta::ObjectMeta& metadata, Random& random, WallTime now);
// What an update leaves as it was, and what it fills in if the requester left it out.
void carry_metadata(const meta::ObjectMeta& before, meta::ObjectMeta& after);

// The specs differ, byte for byte, or one has none.
bool spec_changed(const Message& before, const Message& after);

}  // namespace keelson

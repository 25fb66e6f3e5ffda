// What a delete does to an object's metadata: grace periods, finalizers, and whether it goes at
// once. API-BEHAVIOUR §8 and §15; upstream's rest.BeforeDelete.
#pragma once

#include "api/client.h"
#include "api/kinds.h"

namespace keelson {

// 422: a policy that does not exist.
Result<> check_delete_options(const DeleteOptions& options);
// 409: the uid or the revision is not the object's.
Result<> check_preconditions(const Object& object, const DeleteOptions& options);

enum class Deletion {
  Remove,   // nobody holds it: it goes now
  Mark,     // it is marked, and goes when its finalizers are gone and its grace is over
  Pending,  // it is on its way already, and this delete changes nothing
};
// Marks `message`, a copy of the object, and says what is to be done with it.
Deletion plan_deletion(const Kind& kind, Message& message, const DeleteOptions& options,
                       WallTime now);

// An update that takes away the last thing that held a deleted object.
bool ends_deletion(const Message& before, const Message& after);

// The finalizers `orphan` and `foregroundDeletion` as the policy asks for them. True: they changed.
bool set_garbage_finalizers(const Kind& kind, meta::ObjectMeta& metadata,
                            const DeleteOptions& options);

}  // namespace keelson

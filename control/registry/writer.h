// How controllers and the scheduler write: through the registry, with defaults, uid, generateName,
// generation, admission and validation like everybody else. Synchronous: the change is in the View
// when the call returns, and leaves the process when it is durable.
#pragma once

#include <string_view>

#include "api/client.h"
#include "api/object.h"

namespace keelson {

// Every message's own metadata names the object. Errors are those of the API (Conflict, NotFound,
// Invalid …); a failed call has changed nothing.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual Result<ObjectPtr> create(const Kind& kind, const Message& message) = 0;
  // metadata.resourceVersion in the message is the optimistic lock; without it the update is
  // unconditional. An update that changes nothing makes no revision.
  virtual Result<ObjectPtr> update(const Kind& kind, const Message& message) = 0;
  virtual Result<ObjectPtr> update_status(const Kind& kind, const Message& message) = 0;
  // A Namespace's spec.finalizers alone; the last one taken away ends a terminating namespace.
  virtual Result<ObjectPtr> finalize(const Message& name_space) = 0;
  virtual Result<> remove(const Kind& kind, std::string_view key, const DeleteOptions& options) = 0;
  virtual Result<> bind(std::string_view pod_key, std::string_view pod_uid,
                        std::string_view node_name) = 0;
};

}  // namespace keelson

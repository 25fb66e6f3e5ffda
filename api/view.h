// Read-only, indexed objects: what every reconciler looks at. In the control plane it is the
// store's own index; on a node it is filled from a watch.
#pragma once

#include <string_view>
#include <vector>

#include "api/object.h"

namespace keelson {

class LabelSelector;

// One thread's: every call and every reconcile happen on the loop that owns the view. Lists are
// sorted by key, so that a seed replays. Returned objects stay valid when the view moves on.
class View {
 public:
  virtual ~View() = default;

  virtual Revision revision() const = 0;  // of the last change seen
  virtual ObjectPtr get(const Kind& kind, std::string_view name_space,
                        std::string_view name) const = 0;  // null if absent
  // All of a kind, or those of one namespace if name_space is not empty.
  virtual std::vector<ObjectPtr> list(const Kind& kind, std::string_view name_space = {}) const = 0;
  virtual std::size_t count(const Kind& kind) const = 0;
  virtual ObjectPtr by_uid(std::string_view uid) const = 0;  // null if absent
  // Objects of any kind with an ownerReference to this uid.
  virtual std::vector<ObjectPtr> owned_by(std::string_view owner_uid) const = 0;
  // By an indexed selectable field: with_field(kinds::pod(), "spec.nodeName", "node-1").
  virtual std::vector<ObjectPtr> with_field(const Kind& kind, std::string_view path,
                                            std::string_view value) const = 0;

  std::vector<ObjectPtr> select(const Kind& kind, std::string_view name_space,
                                const LabelSelector& selector) const;
};

// One change of a view, told to whoever keeps something in step with it.
struct Change {
  ObjectPtr before;       // null: it is new
  ObjectPtr after;        // null: it is gone; else the object now
  Revision revision = 0;  // of the change; for a removal, of the removal
  ObjectPtr last;         // a removal: the last state, at the removal's revision; else null
  const Object& object() const { return after ? *after : *before; }
};

}  // namespace keelson

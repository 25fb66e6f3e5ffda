// What one change is to one watcher.
#pragma once

#include <memory>
#include <optional>

#include "api/view.h"
#include "control/registry/selection.h"
#include "control/registry/watch.h"

namespace keelson {

// A change on its way to watchers: what they share of it is made once.
class ChangeForWatchers {
 public:
  explicit ChangeForWatchers(const Change& change, bool shared)
      : change_(change), shared_(shared) {}
  // Added, Modified or Deleted as the object enters, stays in or leaves the selection; empty: it
  // was and is outside.
  std::optional<WatchItem> item_for(const Selection& selection);

 private:
  WatchItem item(EventType type, const ObjectPtr& object, std::shared_ptr<Encodings>& encodings);
  const ObjectPtr& departed();

  const Change& change_;
  const bool shared_;  // among several watchers
  ObjectPtr departed_;
  std::shared_ptr<Encodings> encodings_, departed_encodings_;
};

}  // namespace keelson

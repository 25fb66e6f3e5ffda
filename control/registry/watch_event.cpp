// An object that leaves a selection is, to its watchers, deleted.
#include "control/registry/watch_event.h"

#include "api/proto/meta/v1/object_meta.pb.h"

namespace keelson {

std::optional<WatchItem> ChangeForWatchers::item_for(const Selection& selection) {
  const bool was = change_.before && selection.matches(*change_.before);
  const bool is = change_.after && selection.matches(*change_.after);
  if (is) return item(was ? EventType::Modified : EventType::Added, change_.after, encodings_);
  if (!was) return std::nullopt;
  if (!change_.after) return item(EventType::Deleted, change_.last, encodings_);
  return item(EventType::Deleted, departed(), departed_encodings_);
}

WatchItem ChangeForWatchers::item(EventType type, const ObjectPtr& object,
                                  std::shared_ptr<Encodings>& encodings) {
  if (shared_ && !encodings) encodings = std::make_shared<Encodings>();
  return {.type = type, .object = object, .revision = change_.revision, .encodings = encodings};
}

// The content that still matched, at the revision at which it did no more.
const ObjectPtr& ChangeForWatchers::departed() {
  if (departed_) return departed_;
  const Object& before = *change_.before;
  const auto message = before.kind->make_message();
  decode_into(before, *message);
  mutable_metadata_of(*message).set_resourceversion(std::to_string(change_.revision));
  departed_ = make_object(*before.kind, *message);
  return departed_;
}

}  // namespace keelson

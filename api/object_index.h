// The View that is kept in memory: objects by key, uid, owner and indexed field.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "api/kinds.h"
#include "api/view.h"

namespace keelson {

class ObjectIndex final : public View {
 public:
  Revision revision() const override { return revision_; }
  ObjectPtr get(const Kind& kind, std::string_view name_space,
                std::string_view name) const override;
  std::vector<ObjectPtr> list(const Kind& kind, std::string_view name_space = {}) const override;
  std::size_t count(const Kind& kind) const override;
  ObjectPtr by_uid(std::string_view uid) const override;
  std::vector<ObjectPtr> owned_by(std::string_view owner_uid) const override;
  std::vector<ObjectPtr> with_field(const Kind& kind, std::string_view path,
                                    std::string_view value) const override;

  // Objects of a kind with key > after, in key order, until visit returns false. For pages of a
  // list.
  template <typename Visit>
  void each_after(const Kind& kind, const std::string& after, Visit visit) const;

  // Both return what was there before (null if nothing) and move the revision.
  ObjectPtr put(ObjectPtr object);
  ObjectPtr erase(const Kind& kind, std::string_view name_space, std::string_view name,
                  Revision revision);
  // Nothing changed up to here: a store without its last objects, a watch's bookmark.
  void advance(Revision revision) { revision_ = revision; }

 private:
  using ByKey = std::map<std::string, ObjectPtr, std::less<>>;
  void unindex(const Object& object);

  Revision revision_ = 0;
  std::unordered_map<const Kind*, ByKey> by_kind_;  // only looked up, never iterated
  std::unordered_map<std::string, ObjectPtr> by_uid_;
  std::unordered_map<std::string, std::map<std::pair<std::string, std::string>, ObjectPtr>>
      by_owner_;
  std::unordered_map<std::string, ByKey> by_field_;  // "plural.group|path|value" → objects
};

template <typename Visit>
void ObjectIndex::each_after(const Kind& kind, const std::string& after, Visit visit) const {
  auto objects = by_kind_.find(&kind);
  if (objects == by_kind_.end()) return;
  for (auto at = objects->second.upper_bound(after); at != objects->second.end(); ++at) {
    if (!visit(at->second)) return;
  }
}

}  // namespace keelson

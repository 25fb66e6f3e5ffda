// Everybody who watches, found by what they watch: an event costs those whom it may concern.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "control/registry/registry.h"
#include "control/registry/selection.h"
#include "control/registry/watch.h"

namespace keelson {

class WatchHub {
 public:
  WatchHub(Store& store, Loop& loop, const Limits& limits);
  ~WatchHub();

  struct Request {
    const Kind& kind;
    Selection selection;
    Revision from = 0;     // changes after it
    bool initial = false;  // first, everything there is at `from`, which is now
    bool marks_initial_end = false;
    bool bookmarks = false;
    Duration timeout{0};
  };
  Pending add(Request request, std::shared_ptr<WatchSink> sink);
  std::size_t size() const { return watchers_.size(); }

 private:
  using Id = std::uint64_t;
  struct Watcher;
  using WatcherPtr = std::shared_ptr<Watcher>;
  using Slot = std::map<Id, WatcherPtr>;
  // The watchers of one kind, each in one slot: the narrowest that its selection allows.
  struct OfKind {
    Slot all;
    std::unordered_map<std::string, Slot> by_namespace, by_name;
    std::vector<std::unordered_map<std::string, Slot>> by_field;  // as kind.selectable_fields
    std::size_t count = 0;
  };
  struct Event;
  struct Cancel;

  Slot& slot_of(const Watcher& watcher);
  void prune(const Watcher& watcher);
  void start(const WatcherPtr& watcher, const std::vector<ObjectPtr>& initial);
  void stop(Id id);
  void distribute(std::span<const Change> changes);
  std::vector<WatcherPtr> concerned(const OfKind& watchers, const Change& change) const;
  void hand_over(const WatcherPtr& watcher);
  void schedule_bookmark(Watcher& watcher);
  void arm();
  void send_bookmarks();

  Store& store_;
  Loop& loop_;
  const Limits& limits_;
  Id next_id_ = 1;
  std::map<Id, WatcherPtr> watchers_;
  std::unordered_map<const Kind*, OfKind> by_kind_;  // only looked up
  std::set<std::pair<Instant, Id>> bookmarks_due_;
  Pending timer_;
  Instant timer_at_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson

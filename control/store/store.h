// The store: one revision counter, every object's newest state in memory, a bounded history of
// changes, and the promise that nothing leaves the process before its revision is durable.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "api/object_index.h"
#include "base/limits.h"
#include "base/loop.h"
#include "control/store/durable.h"
#include "control/store/history.h"

namespace keelson {

// One thread's: the core loop.
class Store {
 public:
  // fatal is called once when the log has failed: what was acknowledged is on disk, what was not
  // may be lost, and the process must end.
  Store(Loop& loop, Durable& durable, const Limits& limits, std::function<void(Error)> fatal);
  ~Store();
  Result<> load();  // once, before anything else; subscribers are not told of what is loaded

  const ObjectIndex& view() const { return index_; }
  Revision revision() const { return index_.revision(); }
  Revision durable_revision() const { return durable_revision_; }
  // The revision the next commit takes: whoever makes the object writes it into its
  // metadata.resourceVersion first.
  Revision next_revision() const { return revision() + 1; }

  // Object with resource_version == next_revision(): created or replaced. ServiceUnavailable (disk
  // nearly full, log failed): nothing was changed.
  Result<> put(ObjectPtr object);
  // The last state, with resource_version == next_revision(), as watchers shall see it go. It may
  // use half of the disk's reserve: removing is how room is made.
  Result<> remove(ObjectPtr last);
  // What put or remove would answer now.
  Result<> takes_writes() const { return room_for(0, 0); }

  // Runs the task on the core loop once the revision is durable; at once (but not inside the call)
  // if it is.
  void when_durable(Revision revision, Task task);

  // Called at each commit, before it is durable, in order; must not write. For those in this
  // process that do not outlive what is lost: controllers, scheduler.
  using OnChange = std::function<void(const Change&)>;
  void subscribe(OnChange on_change);
  // After they are durable, a batch at a time: watches.
  using OnDurable = std::function<void(std::span<const Change>)>;
  void subscribe_durable(OnDurable on_durable);

  // Changes with a revision > after, oldest first, up to the durable one. Expired: history does not
  // reach back that far.
  Result<std::vector<Change>> history_after(Revision after) const;

  // A kind's objects with key > after as they were at a revision that is not in the future, in key
  // order, until visit returns false. Expired as above.
  using Visit = std::function<bool(const ObjectPtr&)>;
  Result<> each_at(Revision revision, const Kind& kind, const std::string& after,
                   const Visit& visit) const;

 private:
  Result<> room_for(std::size_t bytes, std::int64_t below_reserve) const;
  void commit(Change change, Record record);
  void schedule_flush();
  void flush();
  std::vector<Record> next_batch();
  void flushed(Result<Revision> durable);
  void run_due_tasks();

  Loop& loop_;
  Durable& durable_;
  const Limits& limits_;
  std::function<void(Error)> fatal_;
  ObjectIndex index_;
  Revision durable_revision_ = 0;
  History history_;
  std::deque<Record> waiting_;           // for the next batches
  std::int64_t unwritten_bytes_ = 0;     // what they and the batch in the air may take on disk
  std::int64_t in_flight_bytes_ = 0;     // what the batch in the air may
  mutable std::int64_t room_bytes_ = 0;  // at the last look; what is unwritten goes off it
  bool flush_scheduled_ = false;
  bool in_flight_ = false;
  bool notifying_ = false;
  std::shared_ptr<const Error> failure_;
  std::multimap<Revision, Task> when_durable_;
  std::vector<OnChange> on_change_;
  std::vector<OnDurable> on_durable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson

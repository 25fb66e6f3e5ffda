// The store: one revision counter, every object's newest state in memory, a bounded history of
// changes, and the promise that nothing leaves the process before its revision is durable.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "api/object_index.h"
#include "base/limits.h"
#include "base/loop.h"
#include "control/store/durable.h"

namespace keelson {

// One thread's: the core loop.
class Store {
 public:
  // fatal is called once when the log has failed: what was acknowledged is on disk, what was not
  // may be lost, and the process must end.
  Store(Loop& loop, Durable& durable, const Limits& limits, std::function<void(Error)> fatal);
  Result<> load();

  const ObjectIndex& view() const { return index_; }
  Revision revision() const { return index_.revision(); }
  Revision durable_revision() const { return durable_revision_; }
  // The revision the next commit takes: whoever makes the object writes it into its
  // metadata.resourceVersion first.
  Revision next_revision() const { return revision() + 1; }

  // Object with resource_version == next_revision(): created or replaced. ServiceUnavailable (disk
  // nearly full): nothing was changed.
  Result<> put(ObjectPtr object);
  // The last state, with resource_version == next_revision(), as watchers shall see it go.
  Result<> remove(ObjectPtr last);

  // Runs the task on the core loop once the revision is durable; at once (but not inside the call)
  // if it is.
  void when_durable(Revision revision, Task task);

  // Called at each commit, before it is durable, in order. For those in this process that do not
  // outlive what is lost: controllers, scheduler.
  using OnChange = std::function<void(const Change&)>;
  void subscribe(OnChange on_change);
  // The same, after it is durable: watches.
  void subscribe_durable(OnChange on_change);

  // Changes with a revision > after, oldest first, up to the durable one. Expired: history does not
  // reach back that far.
  Result<std::vector<Change>> history_after(Revision after) const;
  // A kind's objects as they were at an earlier revision: for the next pages of a list. Expired as
  // above.
  Result<std::vector<ObjectPtr>> list_at(Revision revision, const Kind& kind,
                                         std::string_view name_space) const;

 private:
  Result<> commit(Change change);
  void flush();
  void flushed(Result<Revision> durable);
  void trim_history();

  Loop& loop_;
  Durable& durable_;
  const Limits& limits_;
  std::function<void(Error)> fatal_;
  ObjectIndex index_;
  Revision durable_revision_ = 0;
  std::deque<Change> history_;  // consecutive revisions, the newest last
  std::size_t history_bytes_ = 0;
  std::vector<Record> waiting_;  // the next batch
  bool in_flight_ = false;
  bool failed_ = false;
  std::multimap<Revision, Task> when_durable_;
  std::vector<OnChange> on_change_, on_durable_;
};

}  // namespace keelson

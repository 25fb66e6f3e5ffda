// The last changes of the store, bounded by number and weight: what a watch resumes from, and what
// a list at an earlier revision is undone by.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "api/view.h"
#include "base/limits.h"

namespace keelson {

class History {
 public:
  explicit History(const Limits& limits) : limits_(limits) {}

  // Every change after this revision is here.
  Revision start() const { return start_; }
  void begin_at(Revision revision) { start_ = revision; }  // nothing before it is known

  void add(Change change);  // of the next revision
  // Forgets the oldest beyond the bounds, but none above `kept_from`: those are still to be told.
  void trim(Revision kept_from);

  // Changes in (after, upto]. Expired: they are not all here any more.
  Result<std::vector<Change>> between(Revision after, Revision upto) const;
  // The keys of a kind that changed after the revision, with what they were at it (null: not
  // there).
  Result<std::map<std::string, ObjectPtr>> before(Revision revision, const Kind& kind) const;

 private:
  Result<> reaches(Revision revision) const;

  const Limits& limits_;
  Revision start_ = 0;
  std::deque<Change> changes_;  // of revisions start_ + 1, start_ + 2 …
  std::size_t bytes_ = 0;
};

}  // namespace keelson

// Keys that are due: each at most once, after a delay or a back-off. Control plane, node agent and
// proxy all reconcile by it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "base/loop.h"

namespace keelson {

// What a reconcile asks for next. An error means: again, later each time.
struct Outcome {
  Duration again_after{0};  // 0: not before something changes
};

struct BackOff {
  Duration first = 5ms;  // Kubernetes' controllers: 5 ms × 2ⁿ up to 1000 s
  Duration most = 1000s;
};

class WorkQueue {
 public:
  using Reconcile = std::function<Result<Outcome>(const std::string& key)>;

  // reconcile runs on the loop's thread, one key a turn, first due first, so that other work gets
  // its share between.
  WorkQueue(Loop& loop, std::string name, Reconcile reconcile, BackOff back_off = {});

  void add(const std::string& key);  // due now; adding a due key again changes nothing
  void add_after(const std::string& key, Duration delay);  // the sooner of two delays counts
  void forget(const std::string& key);  // not due any more, its failures forgotten

  std::size_t size() const { return due_.size() + later_.size(); }
  bool idle() const { return due_.empty(); }

 private:
  void make_due(const std::string& key);
  void schedule();
  void step();
  void reconcile_one(const std::string& key);
  void arm();
  void take_due();

  Loop& loop_;
  std::string name_;
  Reconcile reconcile_;
  BackOff back_off_;
  std::deque<std::string> order_;  // due keys, oldest first
  std::set<std::string> due_;      // the same keys
  std::map<std::string, Instant> later_;
  std::set<std::pair<Instant, std::string>> later_by_time_;
  std::map<std::string, int> failures_;
  bool scheduled_ = false;
  Pending timer_;
  Instant timer_at_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson

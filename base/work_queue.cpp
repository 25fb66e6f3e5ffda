// One key a turn; every order is one of insertion or of time and name, so that a seed replays.
#include "base/work_queue.h"

#include <algorithm>

#include "base/log.h"

namespace keelson {

WorkQueue::WorkQueue(Loop& loop, std::string name, Reconcile reconcile, BackOff back_off)
    : loop_(loop), name_(std::move(name)), reconcile_(std::move(reconcile)), back_off_(back_off) {}

void WorkQueue::add(const std::string& key) {
  if (auto waiting = later_.find(key); waiting != later_.end()) {
    later_by_time_.erase({waiting->second, key});
    later_.erase(waiting);
  }
  make_due(key);
  schedule();
}

void WorkQueue::make_due(const std::string& key) {
  if (due_.insert(key).second) order_.push_back(key);
}

void WorkQueue::add_after(const std::string& key, Duration delay) {
  if (due_.contains(key)) return;
  const Instant at = loop_.clock().now() + delay;
  auto waiting = later_.find(key);
  if (waiting != later_.end()) {
    if (waiting->second <= at) return;
    later_by_time_.erase({waiting->second, key});
  }
  later_[key] = at;
  later_by_time_.insert({at, key});
  arm();
}

void WorkQueue::forget(const std::string& key) {
  if (due_.erase(key) > 0) std::erase(order_, key);
  failures_.erase(key);
  if (auto waiting = later_.find(key); waiting != later_.end()) {
    later_by_time_.erase({waiting->second, key});
    later_.erase(waiting);
  }
}

void WorkQueue::schedule() {
  if (scheduled_ || due_.empty()) return;
  scheduled_ = true;
  loop_.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    scheduled_ = false;
    step();
  });
}

void WorkQueue::step() {
  if (due_.empty()) return;
  const std::string key = std::move(order_.front());
  order_.pop_front();
  due_.erase(key);
  reconcile_one(key);
  schedule();
}

void WorkQueue::reconcile_one(const std::string& key) {
  const Result<Outcome> outcome = reconcile_(key);
  if (outcome) {
    failures_.erase(key);
    if (outcome->again_after > Duration(0)) add_after(key, outcome->again_after);
    return;
  }
  const int failed = ++failures_[key];
  const Duration delay =
      std::min(back_off_.most, back_off_.first * (std::int64_t{1} << std::min(failed - 1, 40)));
  // The end of the error's way: said once, here.
  log_warn("reconcile failed", {{"queue", name_},
                                {"key", key},
                                {"error", outcome.error().message},
                                {"again_in_ms", delay / 1ms}});
  add_after(key, delay);
}

void WorkQueue::arm() {
  if (later_by_time_.empty()) return;
  const Instant first = later_by_time_.begin()->first;
  if (timer_ && timer_at_ <= first) return;
  timer_at_ = first;
  const Duration delay = std::max(Duration(0), first - loop_.clock().now());
  timer_ = loop_.after(delay, [this] { take_due(); });
}

void WorkQueue::take_due() {
  timer_.reset();
  const Instant now = loop_.clock().now();
  while (!later_by_time_.empty() && later_by_time_.begin()->first <= now) {
    const std::string key = later_by_time_.begin()->second;
    later_by_time_.erase(later_by_time_.begin());
    later_.erase(key);
    make_due(key);
  }
  schedule();
  arm();
}

}  // namespace keelson

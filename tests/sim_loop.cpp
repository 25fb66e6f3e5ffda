// Virtual time: equal instants fire in the order they were asked for.
#include "tests/sim_loop.h"

#include <algorithm>

namespace keelson {

struct SimLoop::TimerCancel final : Pending::Cancel {
  explicit TimerCancel(std::shared_ptr<Timer> t) : timer(std::move(t)) {}
  ~TimerCancel() override { timer->live = false; }
  std::shared_ptr<Timer> timer;
};

Pending SimLoop::after(Duration delay, Task task) {
  auto timer = std::make_shared<Timer>(Timer{std::move(task), true});
  timers_.emplace(clock_.at + std::max(delay, Duration(0)), timer);
  return Pending(std::make_unique<TimerCancel>(std::move(timer)));
}

bool SimLoop::step() {
  if (ready_.empty()) return false;
  Task task = std::move(ready_.front());
  ready_.pop_front();
  task();
  return true;
}

void SimLoop::settle() {
  while (step()) {
  }
}

void SimLoop::jump_to(Instant at) {
  clock_.wall_at += at - clock_.at;
  clock_.at = at;
}

bool SimLoop::advance() {
  settle();
  while (!timers_.empty()) {
    auto first = timers_.begin();
    const Instant at = first->first;
    std::shared_ptr<Timer> timer = std::move(first->second);
    timers_.erase(first);
    if (!timer->live) continue;
    jump_to(at);
    timer->live = false;
    timer->task();
    settle();
    return true;
  }
  return false;
}

void SimLoop::run_for(Duration span) {
  const Instant end = clock_.at + span;
  settle();
  while (!timers_.empty() && timers_.begin()->first <= end) advance();
  jump_to(end);
}

}  // namespace keelson

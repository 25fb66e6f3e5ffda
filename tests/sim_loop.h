// A loop in virtual time: tasks run when told, the clock jumps to the next timer. The simulation's
// heart, and what unit tests hand to everything that waits.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "base/loop.h"

namespace keelson {

class SimLoop final : public Loop {
 public:
  const Clock& clock() const override { return clock_; }
  void post(Task task) override { ready_.push_back(std::move(task)); }
  [[nodiscard]] Pending after(Duration delay, Task task) override;

  bool step();                  // one ready task; false if none is
  void settle();                // until no task is ready; time stands still
  bool advance();               // settle, then jump to the next timer; false if there is none
  void run_for(Duration span);  // all that happens in this span of virtual time

 private:
  struct SimClock final : Clock {
    Instant at{};
    // An arbitrary fixed day, so that traces do not depend on today.
    WallTime wall_at{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
    Instant now() const override { return at; }
    WallTime wall() const override { return wall_at; }
  };
  struct Timer {
    Task task;
    bool live = true;
  };
  struct TimerCancel;
  void jump_to(Instant at);

  SimClock clock_;
  std::deque<Task> ready_;
  std::multimap<Instant, std::shared_ptr<Timer>> timers_;
};

}  // namespace keelson

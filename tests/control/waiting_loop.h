// A loop for tests of what answers from another thread: runs what was posted until something holds.
#pragma once

#include <cassert>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/loop.h"

namespace keelson {

class WaitingLoop final : public Loop {
 public:
  const Clock& clock() const override { return clock_; }
  void post(Task task) override {
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(task));
    }
    posted_.notify_one();
  }
  Pending after(Duration, Task) override { assert(false && "no timers here"); }

  template <typename Condition>
  void run_until(Condition holds) {
    while (!holds()) {
      Task task;
      {
        std::unique_lock lock(mutex_);
        posted_.wait(lock, [this] { return !ready_.empty(); });
        task = std::move(ready_.front());
        ready_.pop_front();
      }
      task();
    }
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> ready_;
};

}  // namespace keelson

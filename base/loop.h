// One thread's event loop: tasks, timers and readiness of file descriptors. Under simulation the
// same interface runs in virtual time (tests/sim).
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"

namespace keelson {

using Task = std::move_only_function<void()>;

// A pending task or watch. Destroying it cancels: the task does not run afterwards.
class Pending {
 public:
  struct Cancel {
    virtual ~Cancel() = default;  // cancels
  };
  Pending() = default;
  explicit Pending(std::unique_ptr<Cancel> cancel) : cancel_(std::move(cancel)) {}
  void reset() { cancel_.reset(); }
  explicit operator bool() const { return cancel_ != nullptr; }

 private:
  std::unique_ptr<Cancel> cancel_;
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual const Clock& clock() const = 0;
  // Runs the task on this loop's thread, after what was posted before. Any thread may call it.
  virtual void post(Task task) = 0;
  // Runs the task once, after the delay. Loop thread only.
  [[nodiscard]] virtual Pending after(Duration delay, Task task) = 0;
};

}  // namespace keelson

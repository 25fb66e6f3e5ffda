// The real event loop: Asio's io_context behind the Loop interface, plus file descriptors and
// signals.
#pragma once

#include <initializer_list>
#include <memory>

#include "base/loop.h"

namespace boost::asio {
class io_context;
}

namespace keelson {

class SystemLoop final : public Loop {
 public:
  SystemLoop();
  ~SystemLoop() override;

  const Clock& clock() const override;
  void post(Task task) override;
  bool is_current() const;   // is this the loop's thread, inside run()?
  void dispatch(Task task);  // now if it is, else posted; any thread
  [[nodiscard]] Pending after(Duration delay, Task task) override;

  // Calls ready each time fd is readable (level-triggered: read until EAGAIN or be called again).
  // The fd stays the caller's and must outlive the watch. Loop thread only.
  [[nodiscard]] Pending on_readable(int fd, std::move_only_function<void()> ready);
  [[nodiscard]] Pending on_writable(int fd, std::move_only_function<void()> ready);
  [[nodiscard]] Pending on_signal(std::initializer_list<int> signals,
                                  std::move_only_function<void(int)> arrived);

  void run();   // until stop() or nothing can happen any more
  void stop();  // any thread
  bool is_stopped() const;

  boost::asio::io_context& io();  // for base/http*.cpp alone

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keelson

// The half of a ByteSink that any thread may touch: what was written and the loop has not sent yet.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "base/system_loop.h"

namespace keelson {

class Outbox final : public std::enable_shared_from_this<Outbox> {
 public:
  Outbox(SystemLoop& loop, std::size_t bytes_max) : loop_(loop), bytes_max_(bytes_max) {}

  // --- the writer's side: any thread; see ByteSink
  bool write(Bytes bytes);
  void on_room(Task task);
  void on_closed(Task task);
  void finish();
  void abandon();  // the writer is gone; unless it had finished, the connection is to be cut

  // --- the loop's side
  // work: called on the loop when there is something to take, until closed().
  void attach(std::function<void()> work) { work_ = std::move(work); }
  struct Taken {
    std::vector<Bytes> bytes;
    bool finished = false;
    bool cut = false;  // abandoned, or written to beyond all bounds
  };
  Taken take();
  void sending(std::size_t bytes);  // of what was taken this much is still unsent
  void closed();

 private:
  void schedule(std::unique_lock<std::mutex>& lock);
  std::size_t unsent() const { return waiting_bytes_ + sending_bytes_; }

  SystemLoop& loop_;
  const std::size_t bytes_max_;
  std::function<void()> work_;

  std::mutex mutex_;  // guards all below
  std::vector<Bytes> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t sending_bytes_ = 0;
  bool scheduled_ = false;
  bool finished_ = false;
  bool cut_ = false;
  bool closed_ = false;
  Task room_;
  Task ended_;
};

}  // namespace keelson

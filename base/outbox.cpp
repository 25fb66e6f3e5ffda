// A burst of writes costs one wake-up of the loop.
#include "base/outbox.h"

#include <utility>

namespace keelson {

bool Outbox::write(Bytes bytes) {
  std::unique_lock lock(mutex_);
  if (closed_ || finished_ || cut_) return true;
  // Only a writer that was told to wait: one large piece may follow a little.
  if (unsent() >= bytes_max_ && unsent() + bytes->size() > 2 * bytes_max_) {
    cut_ = true;
    waiting_.clear();
    schedule(lock);
    return false;
  }
  waiting_bytes_ += bytes->size();
  waiting_.push_back(std::move(bytes));
  const bool room = unsent() < bytes_max_;
  schedule(lock);
  return room;
}

void Outbox::on_room(Task task) {
  std::unique_lock lock(mutex_);
  if (!closed_ && unsent() >= bytes_max_ / 2) {
    room_ = std::move(task);
    return;
  }
  lock.unlock();
  loop_.post(std::move(task));
}

void Outbox::on_closed(Task task) {
  std::unique_lock lock(mutex_);
  if (!closed_) {
    ended_ = std::move(task);
    return;
  }
  lock.unlock();
  loop_.post(std::move(task));
}

void Outbox::finish() {
  std::unique_lock lock(mutex_);
  if (closed_ || std::exchange(finished_, true)) return;
  schedule(lock);
}

void Outbox::abandon() {
  std::unique_lock lock(mutex_);
  if (closed_ || finished_ || std::exchange(cut_, true)) return;
  schedule(lock);
}

void Outbox::schedule(std::unique_lock<std::mutex>& lock) {
  if (std::exchange(scheduled_, true)) return;
  lock.unlock();
  loop_.post([self = shared_from_this()] {
    if (auto work = self->work_) work();  // a copy: work may detach itself
  });
}

Outbox::Taken Outbox::take() {
  std::lock_guard lock(mutex_);
  scheduled_ = false;
  sending_bytes_ += waiting_bytes_;
  waiting_bytes_ = 0;
  return {std::exchange(waiting_, {}), finished_, cut_};
}

void Outbox::sending(std::size_t bytes) {
  Task room;
  {
    std::lock_guard lock(mutex_);
    sending_bytes_ = bytes;
    if (room_ && unsent() < bytes_max_ / 2) room = std::move(room_);
    if (room) room_ = nullptr;
  }
  if (room) room();
}

void Outbox::closed() {
  Task room, ended;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    waiting_.clear();
    room = std::exchange(room_, nullptr);
    ended = std::exchange(ended_, nullptr);
  }
  work_ = nullptr;
  if (room) room();
  if (ended) ended();
}

}  // namespace keelson

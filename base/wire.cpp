// Readiness by Asio, one wait each way; deadlines by one timer that is moved only when it fires.
#include "base/wire.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <array>

namespace keelson {
namespace asio = boost::asio;
namespace {

constexpr std::size_t pieces_max = 64;  // of one system call

}  // namespace

struct Wire::Descriptor {
  explicit Descriptor(asio::io_context& io, int fd) : stream(io, fd) {}
  ~Descriptor() { stream.release(); }  // the Socket closes it
  asio::posix::stream_descriptor stream;
};

Wire::Wire(SystemLoop& loop, Socket socket, Duration send_timeout)
    : loop_(loop),
      socket_(std::move(socket)),
      send_timeout_(send_timeout),
      descriptor_(std::make_unique<Descriptor>(loop.io(), socket_.fd())) {}

Wire::~Wire() = default;

void Wire::use(std::shared_ptr<User> user) {
  std::swap(user_, user);
}

void Wire::open() {
  opening_ = true;
  advance_handshake();
}

void Wire::advance_handshake() {
  switch (socket_.handshake()) {
    case Socket::Status::Done: {
      opening_ = false;
      auto user = user_;
      return user->on_open();
    }
    case Socket::Status::WantRead:
      return wait_readable();
    case Socket::Status::WantWrite:
      return wait_writable();
    default:
      return lose(socket_.error());
  }
}

void Wire::want_read() {
  wants_read_ = true;
  if (!socket_.has_buffered()) return wait_readable();
  loop_.post([self = shared_from_this()] { self->readable(); });
}

void Wire::wait_readable() {
  if (closed_ || std::exchange(waits_readable_, true)) return;
  descriptor_->stream.async_wait(asio::posix::stream_descriptor::wait_read,
                                 [self = shared_from_this()](boost::system::error_code error) {
                                   self->waits_readable_ = false;
                                   if (!error) self->readable();
                                 });
}

void Wire::wait_writable() {
  if (closed_ || std::exchange(waits_writable_, true)) return;
  descriptor_->stream.async_wait(asio::posix::stream_descriptor::wait_write,
                                 [self = shared_from_this()](boost::system::error_code error) {
                                   self->waits_writable_ = false;
                                   if (!error) self->writable();
                                 });
}

void Wire::readable() {
  if (closed_) return;
  if (opening_) return advance_handshake();
  if (unsent_ > 0 && !waits_writable_) flush();  // TLS had to read before it could write
  if (closed_ || !std::exchange(wants_read_, false)) return;
  auto user = user_;
  user->on_readable();
}

void Wire::writable() {
  if (closed_) return;
  if (opening_) return advance_handshake();
  const bool read_waited =
      wants_read_ && !waits_readable_;  // TLS had to write before it could read
  flush();
  if (read_waited) readable();
}

Socket::Moved Wire::read(char* data, std::size_t size) {
  const Socket::Moved moved = socket_.read(data, size);
  if (moved.status == Socket::Status::WantRead) {
    wants_read_ = true;
    wait_readable();
  } else if (moved.status == Socket::Status::WantWrite) {
    wants_read_ = true;
    wait_writable();
  }
  return moved;
}

void Wire::send(Bytes bytes) {
  if (closed_ || bytes->empty()) return;
  unsent_ += bytes->size();
  queue_.push_back(std::move(bytes));
}

void Wire::flush() {
  bool progress = false;
  while (!closed_ && unsent_ > 0 && send_some()) progress = true;
  if (closed_) return;
  if (unsent_ == 0) {
    send_deadline_ = Instant::max();
    if (finishing_) half_close();
  } else if (progress || send_deadline_ == Instant::max()) {
    send_deadline_ = loop_.clock().now() + send_timeout_;
    arm_timer();
  }
  if (!progress || closed_) return;
  auto user = user_;
  user->on_sent();
}

// One system call. False: it is to wait, or lost.
bool Wire::send_some() {
  std::array<iovec, pieces_max> pieces;
  std::size_t count = 0;
  std::size_t skip = offset_;
  for (auto at = queue_at_; at < queue_.size() && count < pieces_max; ++at, skip = 0) {
    const std::string& bytes = *queue_[at];
    pieces[count++] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
  }
  const Socket::Moved moved = socket_.write(std::span(pieces).first(count));
  switch (moved.status) {
    case Socket::Status::Done:
      drop_sent(moved.bytes);
      return true;
    case Socket::Status::WantRead:
      wait_readable();
      return false;
    case Socket::Status::WantWrite:
      wait_writable();
      return false;
    default:
      lose(socket_.error());
      return false;
  }
}

void Wire::drop_sent(std::size_t bytes) {
  unsent_ -= bytes;
  while (bytes > 0) {
    const std::size_t rest = queue_[queue_at_]->size() - offset_;
    if (bytes < rest) {
      offset_ += bytes;
      return;
    }
    bytes -= rest;
    queue_[queue_at_++].reset();
    offset_ = 0;
  }
  if (queue_at_ == queue_.size()) {
    queue_.clear();
    queue_at_ = 0;
  } else if (queue_at_ >= pieces_max) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(queue_at_));
    queue_at_ = 0;
  }
}

void Wire::finish() {
  if (closed_) return;
  finishing_ = true;
  if (unsent_ == 0) half_close();
}

void Wire::half_close() {
  finishing_ = false;
  if (socket_.finish() != Socket::Status::WantWrite) return;
  finishing_ = true;
  wait_writable();
}

void Wire::expire_after(Duration delay) {
  deadline_ = loop_.clock().now() + delay;
  arm_timer();
}

void Wire::never_expire() {
  deadline_ = Instant::max();
}

// A deadline that moves away leaves the timer where it is: it looks again when it fires.
void Wire::arm_timer() {
  const Instant due = std::min(deadline_, send_deadline_);
  if (closed_ || due >= timer_at_) return;
  timer_at_ = due;
  timer_ = loop_.after(due - loop_.clock().now(), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->timer_fired();
  });
}

void Wire::timer_fired() {
  timer_at_ = Instant::max();
  const Instant now = loop_.clock().now();
  if (send_deadline_ <= now) {
    return lose({Reason::Timeout, "the peer does not read what it is sent"});
  }
  if (deadline_ <= now) {
    deadline_ = Instant::max();
    if (opening_) return lose({Reason::Timeout, "the handshake takes too long"});
    auto user = user_;
    user->on_expired();
  }
  if (std::min(deadline_, send_deadline_) != Instant::max()) arm_timer();
}

void Wire::wind_down() {
  if (closed_) return;
  auto user = user_;
  user->on_wind_down();
}

void Wire::close() {
  if (std::exchange(closed_, true)) return;
  auto user = std::move(user_);  // may be the last to hold us: kept until we return
  auto self = shared_from_this();
  timer_.reset();
  descriptor_.reset();
  socket_.close();
  queue_.clear();
  unsent_ = 0;
  if (Task task = std::move(at_end_)) task();
}

void Wire::abort(const Error& error) {
  if (!closed_) socket_.reset_at_close();
  lose(error);
}

void Wire::lose(const Error& error) {
  if (closed_) return;
  auto user = user_;
  const Error why = error;  // it may be our socket's
  close();
  user->on_lost(why);
}

}  // namespace keelson

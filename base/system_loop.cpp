// The real event loop over one boost::asio::io_context.
#include "base/system_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace keelson {
namespace asio = boost::asio;

struct SystemLoop::Impl {
  SystemClock clock;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
};

namespace {

// Shared between the holder of Pending and Asio's handler, which may already be queued when the
// holder cancels: `live` is what decides.
struct TimerState {
  explicit TimerState(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;
  Task task;
  bool live = true;
};

struct TimerCancel final : Pending::Cancel {
  explicit TimerCancel(std::shared_ptr<TimerState> s) : state(std::move(s)) {}
  ~TimerCancel() override {
    state->live = false;
    state->timer.cancel();
  }
  std::shared_ptr<TimerState> state;
};

struct WatchState : std::enable_shared_from_this<WatchState> {
  WatchState(asio::io_context& io, int fd, asio::posix::stream_descriptor::wait_type what)
      : descriptor(io, fd), wait_for(what) {}
  ~WatchState() {
    if (descriptor.is_open()) descriptor.release();
  }
  void wait() {
    descriptor.async_wait(wait_for, [self = shared_from_this()](boost::system::error_code error) {
      if (error || !self->live) return;
      self->ready();
      if (self->live) self->wait();
    });
  }
  asio::posix::stream_descriptor descriptor;
  asio::posix::stream_descriptor::wait_type wait_for;
  std::move_only_function<void()> ready;
  bool live = true;
};

struct WatchCancel final : Pending::Cancel {
  explicit WatchCancel(std::shared_ptr<WatchState> s) : state(std::move(s)) {}
  ~WatchCancel() override {
    state->live = false;
    state->descriptor.release();  // the fd is the caller's; Asio only forgets it
  }
  std::shared_ptr<WatchState> state;
};

struct SignalState : std::enable_shared_from_this<SignalState> {
  explicit SignalState(asio::io_context& io) : set(io) {}
  void wait() {
    set.async_wait([self = shared_from_this()](boost::system::error_code error, int number) {
      if (error || !self->live) return;
      self->arrived(number);
      if (self->live) self->wait();
    });
  }
  asio::signal_set set;
  std::move_only_function<void(int)> arrived;
  bool live = true;
};

struct SignalCancel final : Pending::Cancel {
  explicit SignalCancel(std::shared_ptr<SignalState> s) : state(std::move(s)) {}
  ~SignalCancel() override {
    state->live = false;
    state->set.cancel();
  }
  std::shared_ptr<SignalState> state;
};

Pending watch(asio::io_context& io, int fd, asio::posix::stream_descriptor::wait_type what,
              std::move_only_function<void()> ready) {
  auto state = std::make_shared<WatchState>(io, fd, what);
  state->ready = std::move(ready);
  state->wait();
  return Pending(std::make_unique<WatchCancel>(std::move(state)));
}

}  // namespace

SystemLoop::SystemLoop() : impl_(std::make_unique<Impl>()) {}
SystemLoop::~SystemLoop() = default;

const Clock& SystemLoop::clock() const {
  return impl_->clock;
}

void SystemLoop::post(Task task) {
  asio::post(impl_->io, std::move(task));
}

bool SystemLoop::is_current() const {
  return impl_->io.get_executor().running_in_this_thread();
}

void SystemLoop::dispatch(Task task) {
  if (is_current()) return task();
  post(std::move(task));
}

Pending SystemLoop::after(Duration delay, Task task) {
  auto state = std::make_shared<TimerState>(impl_->io);
  state->task = std::move(task);
  state->timer.expires_after(delay);
  state->timer.async_wait([state](boost::system::error_code error) {
    if (error || !state->live) return;
    state->live = false;
    state->task();
  });
  return Pending(std::make_unique<TimerCancel>(std::move(state)));
}

Pending SystemLoop::on_readable(int fd, std::move_only_function<void()> ready) {
  return watch(impl_->io, fd, asio::posix::stream_descriptor::wait_read, std::move(ready));
}

Pending SystemLoop::on_writable(int fd, std::move_only_function<void()> ready) {
  return watch(impl_->io, fd, asio::posix::stream_descriptor::wait_write, std::move(ready));
}

Pending SystemLoop::on_signal(std::initializer_list<int> signals,
                              std::move_only_function<void(int)> arrived) {
  auto state = std::make_shared<SignalState>(impl_->io);
  for (int number : signals) state->set.add(number);
  state->arrived = std::move(arrived);
  state->wait();
  return Pending(std::make_unique<SignalCancel>(std::move(state)));
}

void SystemLoop::run() {
  impl_->io.run();
}

void SystemLoop::stop() {
  impl_->io.stop();
}

bool SystemLoop::is_stopped() const {
  return impl_->io.stopped();
}

asio::io_context& SystemLoop::io() {
  return impl_->io;
}

}  // namespace keelson

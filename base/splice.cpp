// Two streams joined: each direction reads a piece, writes it, and waits for room before the next.
#include <array>
#include <mutex>
#include <utility>

#include "base/byte_stream.h"

namespace keelson {
namespace {

// The ends live on threads of their own, so either may be gone while the other is at work.
class Splice final : public std::enable_shared_from_this<Splice> {
 public:
  Splice(std::unique_ptr<ByteStream> a, std::unique_ptr<ByteStream> b, Task done)
      : ends_{std::move(a), std::move(b)}, done_(std::move(done)) {}

  void copy_from(std::size_t from) {
    auto source = end(from);
    if (source == nullptr) return;
    source->read([self = shared_from_this(), from](Result<std::string> bytes) {
      self->take(from, std::move(bytes));
    });
  }

 private:
  void take(std::size_t from, Result<std::string> bytes) {
    auto sink = end(1 - from);
    if (sink == nullptr) return;
    if (!bytes) return let_go();  // the other is cut, so that its peer learns of it
    if (bytes->empty()) {
      sink->finish();
      return end_direction();
    }
    if (sink->write(std::move(*bytes))) return copy_from(from);
    sink->on_room([self = shared_from_this(), from] { self->copy_from(from); });
  }

  void end_direction() {
    {
      std::lock_guard lock(mutex_);
      if (++ended_ < 2) return;
    }
    let_go();
  }

  void let_go() {
    std::array<std::shared_ptr<ByteStream>, 2> ends;
    Task done;
    {
      std::lock_guard lock(mutex_);
      ends = std::move(ends_);
      done = std::exchange(done_, nullptr);
    }
    if (done) done();
  }

  std::shared_ptr<ByteStream> end(std::size_t index) {
    std::lock_guard lock(mutex_);
    return ends_[index];
  }

  std::mutex mutex_;
  std::array<std::shared_ptr<ByteStream>, 2> ends_;  // both null: it is over
  int ended_ = 0;
  Task done_;
};

}  // namespace

void splice(std::unique_ptr<ByteStream> a, std::unique_ptr<ByteStream> b, Task done) {
  auto joined = std::make_shared<Splice>(std::move(a), std::move(b), std::move(done));
  joined->copy_from(0);
  joined->copy_from(1);
}

}  // namespace keelson

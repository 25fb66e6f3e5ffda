// Read, write, wait for room or for more.
#include "nodeagent/log_stream.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"

namespace keelson {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

}  // namespace

LogStream::LogStream(SystemLoop& loop, Source source, std::unique_ptr<ByteSink> sink)
    : loop_(loop), source_(std::move(source)), sink_(std::move(sink)) {}

void LogStream::start() {
  // The watch comes before the first read: what is added in between wakes us.
  if (source_.follow) {
    if (auto watched = watch_folder(); !watched) {
      log_warn("follow log", {{"path", source_.path}, {"error", watched.error().message}});
      source_.follow = false;
    }
  }
  sink_->on_closed([self = weak_from_this(), &loop = loop_] {
    loop.post([self] {
      if (auto stream = self.lock()) stream->close();
    });
  });
  pump();
}

// The folder, not the file: rotation makes a new one.
Result<> LogStream::watch_folder() {
  inotify_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = source_.path.substr(0, source_.path.rfind('/'));
  if (!inotify_ || ::inotify_add_watch(inotify_.get(), folder.c_str(),
                                       IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    return fail_errno(errno, "watch {}", folder);
  }
  watch_ = loop_.on_readable(inotify_.get(), [this, self = weak_from_this()] {
    const auto alive = self.lock();
    char events[4096];
    while (::read(inotify_.get(), events, sizeof events) > 0) {
    }
    if (alive && !waits_for_room_) pump();
  });
  return {};
}

void LogStream::container_ended() {
  has_ended_ = true;
  if (!waits_for_room_) pump();
}

void LogStream::pump() {
  if (!sink_) return;
  for (bool more = true; more;) {
    std::string piece;
    more = source_.reader.read(piece, piece_bytes);
    if (!piece.empty() && !sink_->write(std::move(piece))) return wait_for_room();
  }
  if (!source_.follow || has_ended_ || source_.reader.is_finished()) {
    sink_->finish();
    close();
  }
}

void LogStream::wait_for_room() {
  waits_for_room_ = true;
  sink_->on_room([self = shared_from_this()] {
    self->loop_.post([self] {
      self->waits_for_room_ = false;
      self->pump();
    });
  });
}

void LogStream::close() {
  watch_.reset();
  sink_.reset();
  if (source_.closed) std::exchange(source_.closed, {})();
}

}  // namespace keelson

// From the core's batches to the client's socket.
#include "control/server/watch_stream.h"

#include <deque>
#include <mutex>

#include "base/log.h"
#include "control/server/piece_writer.h"
#include "control/server/query.h"
#include "control/server/watch_encoder.h"

namespace keelson {
namespace {

constexpr std::size_t events_per_turn = 256;  // encoded before others on this thread have theirs
// Upstream's MinRequestTimeout: a watch without timeoutSeconds ends between this and its double.
constexpr std::int64_t seconds_min = 1800;

Presentation presentation_of(const Call& call) {
  Presentation as{.output = call.output};
  const std::string include = Query(call.target()).text("includeObject");
  if (include == "None") as.include_object = IncludeObject::None;
  if (include == "Object") as.include_object = IncludeObject::Object;
  return as;
}

class WatchStream final : public WatchSink, public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(Hands& hands, const Kind& kind, CallPtr call)
      : hands_(hands),
        loop_(hands.any_io_loop()),
        call_(std::move(call)),
        encoder_(kind, presentation_of(*call_)) {}

  // The core's side.
  void start(const Kind& kind, const WatchQuery& query);
  bool deliver(std::span<const WatchItem> items) override;
  void end(const Error& error) override;

 private:
  void stop();      // the core: nothing more is wanted
  void answer();    // the loop: the head
  void schedule();  // locked: drain, soon
  void drain();     // the loop
  // The next event; none: it has to come yet, or `over`.
  std::optional<WatchItem> take(bool& over);
  void push(std::vector<Bytes> pieces);

  Hands& hands_;
  SystemLoop& loop_;

  // The core's.
  Pending registration_, timer_;

  std::mutex mutex_;  // guards the hand-over
  std::deque<WatchItem> waiting_;
  std::size_t waiting_live_ = 0;  // without what was there at the beginning
  std::optional<Error> last_;     // why it ends; no error: it has been long enough
  bool ends_ = false;
  bool scheduled_ = false;

  // The loop's.
  CallPtr call_;
  WatchEncoder encoder_;
  std::optional<PieceWriter> writer_;  // once answered
  bool waits_for_room_ = false;
  bool finished_ = false;
};

void WatchStream::start(const Kind& kind, const WatchQuery& query) {
  auto registration = hands_.registry.watch(kind, query, shared_from_this());
  if (!registration) {
    loop_.post(
        [self = shared_from_this(), error = registration.error()] { self->call_->fail(error); });
    return;
  }
  registration_ = std::move(*registration);
  timer_ = hands_.core.after(query.timeout, [self = shared_from_this()] {
    self->stop();
    const std::lock_guard lock(self->mutex_);
    self->ends_ = true;
    self->schedule();
  });
  loop_.post([self = shared_from_this()] { self->answer(); });
}

void WatchStream::stop() {
  registration_.reset();
  timer_.reset();
}

bool WatchStream::deliver(std::span<const WatchItem> items) {
  const std::lock_guard lock(mutex_);
  if (ends_) return false;
  for (const WatchItem& item : items) {
    waiting_.push_back(item);
    if (!item.initial) ++waiting_live_;
  }
  // What was there at the beginning may be more; it is no more than there is.
  if (waiting_live_ > hands_.limits.watch_backlog_events) {
    ends_ = true;
    waiting_.clear();
    waiting_live_ = 0;
  }
  schedule();
  return !ends_;
}

void WatchStream::end(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (ends_) return;
  ends_ = true;
  last_ = error;
  schedule();
}

void WatchStream::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  loop_.post([self = shared_from_this()] { self->drain(); });
}

void WatchStream::answer() {
  writer_.emplace(loop_, call_->stream({.headers = {{"Content-Type", encoder_.content_type()}}}));
  call_.reset();
  writer_->sink().on_closed([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->hands_.core.post([self] { self->stop(); });
  });
  drain();
}

std::optional<WatchItem> WatchStream::take(bool& over) {
  const std::lock_guard lock(mutex_);
  scheduled_ = false;
  over = ends_ && waiting_.empty();
  if (waiting_.empty()) return std::nullopt;
  WatchItem item = std::move(waiting_.front());
  waiting_.pop_front();
  if (!item.initial) --waiting_live_;
  return item;
}

void WatchStream::push(std::vector<Bytes> pieces) {
  for (Bytes& piece : pieces) writer_->push(std::move(piece));
}

// Until there is nothing to send, or no room, or others on this thread want their turn.
void WatchStream::drain() {
  if (!writer_ || waits_for_room_ || finished_) return;
  for (std::size_t sent = 0;; ++sent) {
    if (!writer_->flush()) {
      waits_for_room_ = true;
      return writer_->when_room([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->waits_for_room_ = false;
        self->drain();
      });
    }
    if (sent == events_per_turn) {
      const std::lock_guard lock(mutex_);
      return schedule();
    }
    bool over = false;
    const auto item = take(over);
    if (item) {
      push(encoder_.event(*item, hands_.wall()));
    } else if (over && last_) {
      push(encoder_.error(*std::exchange(last_, std::nullopt)));
    } else {
      if (!over) return;
      finished_ = true;
      writer_->sink().finish();
      return hands_.core.post([self = shared_from_this()] { self->stop(); });
    }
  }
}

}  // namespace

void serve_watch(Hands& hands, CallPtr call, const ResourceRequest& request) {
  const Query options(call->target());
  auto query = watch_query(options, request.name_space);
  if (!query) return call->fail(query.error());
  auto seconds = watch_seconds(options);
  if (!seconds) return call->fail(seconds.error());
  if (!request.name.empty()) {
    std::string& selector = query->field_selector;
    selector = "metadata.name=" + request.name + (selector.empty() ? "" : "," + selector);
  }
  hands.core.post([&hands, kind = request.kind, query = std::move(*query), seconds = *seconds,
                   call = std::move(call)]() mutable {
    const auto spread = static_cast<std::int64_t>(hands.turn * 37 % seconds_min);
    query.timeout = std::chrono::seconds(seconds.value_or(seconds_min + spread));
    auto stream = std::make_shared<WatchStream>(hands, *kind, std::move(call));
    stream->start(*kind, query);
  });
}

}  // namespace keelson

// Length-delimited frames of application/vnd.kubernetes.protobuf;stream=watch.
#include "api/http_watch.h"

#include <utility>

#include "api/kinds.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/status.h"

namespace keelson {
namespace {

constexpr std::size_t frame_bytes_max = 4 * 1024 * 1024;  // an object has at most 1.5 MiB
constexpr std::size_t refusal_bytes_max = 1024 * 1024;
constexpr Duration grace_for_the_end = 30s;

EventType event_type(std::string_view text) {
  if (text == "ADDED") return EventType::Added;
  if (text == "MODIFIED") return EventType::Modified;
  if (text == "DELETED") return EventType::Deleted;
  return EventType::Bookmark;
}

Error error_of(std::string_view raw) {
  meta::Status status;
  if (auto parsed = message_from_protobuf(raw, status); !parsed) return parsed.error();
  return from_status(status);
}

}  // namespace

HttpWatch::HttpWatch(Parts parts, Duration ends_within)
    : owner_(parts.owner),
      http_(parts.http),
      kind_(parts.kind),
      ends_within_(ends_within),
      on_event_(std::move(parts.on_event)),
      on_end_(std::move(parts.on_end)) {}

void HttpWatch::start(HttpCall call) {
  call_ = http_.stream(std::move(call),
                       [self = shared_from_this()](Result<HttpClient::Streamed> streamed) {
                         self->opened(std::move(streamed));
                       });
}

void HttpWatch::stop() {
  live_ = false;
  call_.reset();
  if (!calling_) forget_callbacks();
  http_.loop().post([self = shared_from_this()] {
    self->over_ = true;
    self->body_.reset();
    self->silence_.reset();
  });
}

void HttpWatch::opened(Result<HttpClient::Streamed> streamed) {
  if (over_) return;
  if (!streamed) return end(streamed.error());
  body_ = std::move(streamed->body);
  silence_ = http_.loop().after(ends_within_ + grace_for_the_end, [self = shared_from_this()] {
    self->end({Reason::Timeout, "the watch did not end when it should have"});
  });
  if (streamed->head.status != 200) return read_refusal(streamed->head.status, {});
  read_next();
}

void HttpWatch::read_refusal(int status, std::string body) {
  if (over_) return;
  body_->read([self = shared_from_this(), status,
               body = std::move(body)](Result<std::string> piece) mutable {
    if (piece && !piece->empty() && body.size() < refusal_bytes_max) {
      return self->read_refusal(status, body + *piece);
    }
    self->end(error_of_answer(status, body));
  });
}

void HttpWatch::read_next() {
  if (over_) return;
  body_->read([self = shared_from_this()](Result<std::string> piece) {
    if (self->over_) return;
    if (!piece) return self->end(piece.error());
    if (piece->empty()) return self->end({Reason::Timeout, "the watch has ended"});
    self->take(std::move(*piece));
  });
}

void HttpWatch::take(std::string bytes) {
  received_ += bytes;
  std::vector<WatchEvent> events;
  Result<bool> more = true;
  while (more && *more) more = take_frame(events);
  received_.erase(0, std::exchange(taken_, 0));
  const bool any = !events.empty();
  if (any) hand_over(std::move(events));
  if (!more) return end(more.error());
  if (!any) read_next();  // else when they are handed over
}

// False: the next frame is not whole yet.
Result<bool> HttpWatch::take_frame(std::vector<WatchEvent>& events) {
  auto frame = parse_watch_frame(std::string_view(received_).substr(taken_), frame_bytes_max);
  if (!frame && frame.error().reason == Reason::NotFound) return false;
  if (!frame) return frame.error().during("watch {}", kind_.plural);
  taken_ += frame->consumed;
  auto event = event_of(frame->type, frame->envelope);
  if (!event) return std::unexpected(event.error());
  events.push_back(std::move(*event));
  return true;
}

Result<WatchEvent> HttpWatch::event_of(const std::string& type, const std::string& bytes) const {
  auto envelope = from_envelope(bytes);
  if (!envelope) return envelope.error().during("watch {}", kind_.plural);
  if (type == "ERROR") return std::unexpected(error_of(envelope->raw));
  auto object = parse_object(kind_, std::string(envelope->raw));
  if (!object) return object.error().during("watch {}", kind_.plural);
  WatchEvent event{.type = event_type(type), .resource_version = (*object)->resource_version};
  if (event.type != EventType::Bookmark) event.object = std::move(*object);
  return event;
}

void HttpWatch::hand_over(std::vector<WatchEvent> events) {
  owner_.post([self = shared_from_this(), events = std::move(events)]() mutable {
    self->deliver(std::move(events));
    self->http_.loop().post([self] { self->read_next(); });
  });
}

void HttpWatch::end(Error error) {
  if (std::exchange(over_, true)) return;
  body_.reset();
  silence_.reset();
  owner_.post([self = shared_from_this(), error = std::move(error)]() mutable {
    self->ended(std::move(error));
  });
}

void HttpWatch::deliver(std::vector<WatchEvent> events) {
  calling_ = true;
  for (WatchEvent& event : events) {
    if (live_) on_event_(std::move(event));
  }
  calling_ = false;
  if (!live_) forget_callbacks();
}

void HttpWatch::ended(Error error) {
  if (!std::exchange(live_, false)) return;
  auto on_end = std::move(on_end_);
  forget_callbacks();
  on_end(std::move(error));
}

// On the owner's loop, and not while one of them runs.
void HttpWatch::forget_callbacks() {
  on_event_ = nullptr;
  on_end_ = nullptr;
}

}  // namespace keelson

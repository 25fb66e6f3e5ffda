// Writes under the optimistic lock: what others changed of the pod meanwhile is never undone.
#include "nodeagent/status_writer.h"

#include <algorithm>

#include "api/kinds.h"
#include "api/proto/core/v1/pod.pb.h"
#include "base/log.h"

namespace keelson {
namespace {

// A start takes a few milliseconds and passes several states: only what lasts longer is told.
constexpr Duration busy_for = 50ms;
constexpr Duration retry_first = 100ms, retry_most = 10s;

}  // namespace

StatusWriter::StatusWriter(Loop& loop, Client& client, Source source)
    : loop_(loop), client_(client), source_(std::move(source)) {}

StatusWriter::~StatusWriter() = default;

void StatusWriter::changed() {
  if (in_flight_ || removing_) return;  // looked at again after the answer
  if (source_.is_busy() && !overdue_) {
    if (!timer_) {
      timer_ = loop_.after(busy_for, [this] {
        timer_.reset();
        overdue_ = true;
        changed();
      });
    }
    return;
  }
  if (retry_ > Duration(0)) return;  // the timer is set
  write();
}

void StatusWriter::write() {
  timer_.reset();
  overdue_ = false;
  const core::PodStatus status = source_.status();
  std::string bytes = status.SerializeAsString();
  if (bytes == written_) {
    if (removing_) erase();
    return;
  }
  core::Pod pod;
  *pod.mutable_metadata() = source_.pod().metadata();
  *pod.mutable_spec() = source_.pod().spec();
  *pod.mutable_status() = status;
  in_flight_ = true;
  const std::int64_t version = std::atoll(pod.metadata().resourceversion().c_str());
  client_.update(kinds::pod(), pod, "status",
                 [this, alive = std::weak_ptr(alive_), bytes = std::move(bytes),
                  version](Result<ObjectPtr> answer) {
                   if (!alive.expired()) wrote(bytes, version, std::move(answer));
                 });
}

void StatusWriter::wrote(const std::string& bytes, std::int64_t resource_version,
                         Result<ObjectPtr> answer) {
  in_flight_ = false;
  if (answer) {
    retry_ = Duration(0);
    written_ = bytes;
    source_.written(*answer);
    return removing_ ? write() : changed();
  }
  const Error& error = answer.error();
  if (error.reason == Reason::NotFound) {
    if (removing_) erase();
    return;  // the watch tells its owner
  }
  const std::int64_t newest = std::atoll(source_.pod().metadata().resourceversion().c_str());
  if (error.reason == Reason::Conflict && newest > resource_version) return write();
  if (error.reason != Reason::Conflict) {
    log_warn("write pod status",
             {{"pod", source_.pod().metadata().name()}, {"error", error.message}});
  }
  retry_later();
}

void StatusWriter::retry_later() {
  retry_ = std::clamp(retry_ * 2, retry_first, retry_most);
  timer_ = loop_.after(retry_, [this] { write(); });
}

void StatusWriter::remove() {
  removing_ = true;
  if (!in_flight_) write();
}

void StatusWriter::erase() {
  const auto& metadata = source_.pod().metadata();
  DeleteOptions options{.grace_period_seconds = 0, .uid = metadata.uid()};
  in_flight_ = true;
  client_.remove(kinds::pod(), key_of(metadata.namespace_(), metadata.name()), std::move(options),
                 [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                   if (alive.expired()) return;
                   in_flight_ = false;
                   // Conflict: another pod has the name by now.
                   if (answer || answer.error().reason == Reason::NotFound ||
                       answer.error().reason == Reason::Conflict) {
                     return;
                   }
                   log_warn("remove pod", {{"pod", source_.pod().metadata().name()},
                                           {"error", answer.error().message}});
                   retry_later();
                 });
}

}  // namespace keelson

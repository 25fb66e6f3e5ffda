// Counting by what is equal of two events, over the newest of them.
#include "api/event_log.h"

#include "api/kinds.h"
#include "api/proto/core/v1/event.pb.h"

namespace keelson {
namespace {

// The newest are remembered, each for 10 minutes (client-go's correlator): about 1 kB each.
constexpr std::size_t known_max = 1'024;
constexpr Duration known_for = 600s;
constexpr std::size_t message_bytes_max = 1'024;  // Kubernetes' own (NoteLengthLimit)
constexpr std::size_t name_bytes_max = 253 - 17;  // leaves room for "." and the stamp

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  return std::string(text.substr(0, most - 3)) + "...";
}

}  // namespace

struct EventLog::Known {
  std::string what;
  Instant seen{};
  core::Event event;
};

core::ObjectReference reference_to(const Object& object) {
  core::ObjectReference reference;
  reference.set_kind(std::string(object.kind->kind));
  reference.set_apiversion(object.kind->api_version());
  if (!object.name_space.empty()) reference.set_namespace_(object.name_space);
  reference.set_name(object.name);
  reference.set_uid(object.uid);
  reference.set_resourceversion(std::to_string(object.resource_version));
  return reference;
}

EventLog::EventLog(std::string component, std::string host, const Clock& clock)
    : component_(std::move(component)), host_(std::move(host)), clock_(clock) {}

EventLog::~EventLog() = default;

EventLog::Said EventLog::say(const Happening& happening, core::Event& event) {
  const core::ObjectReference& regarding = happening.regarding;
  const std::string what = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", regarding.kind(), regarding.namespace_(), regarding.name(),
      regarding.uid(), regarding.fieldpath(), happening.type, happening.reason, happening.message);
  const Instant now = clock_.now();
  auto found = by_what_.find(what);
  if (found != by_what_.end() && now - found->second->seen <= known_for) {
    known_.splice(known_.begin(), known_, found->second);
    core::Event& again = known_.front().event;
    known_.front().seen = now;
    again.set_count(again.count() + 1);
    set_time(*again.mutable_lasttimestamp(), clock_.wall());
    event = again;
    return {false, key_of(event.metadata().namespace_(), event.metadata().name())};
  }
  if (found != by_what_.end()) {
    const auto stale = found->second;
    by_what_.erase(found);
    known_.erase(stale);
  }
  // Names are told apart by the time, as upstream's; two in one nanosecond by one more.
  last_stamp_ = std::max<std::int64_t>(last_stamp_ + 1, clock_.wall().time_since_epoch() / 1ns);
  event.Clear();
  // Events of what has no namespace live in "default".
  event.mutable_metadata()->set_namespace_(regarding.namespace_().empty() ? "default"
                                                                          : regarding.namespace_());
  event.mutable_metadata()->set_name(fmt::format(
      "{}.{:016x}", std::string_view(regarding.name()).substr(0, name_bytes_max), last_stamp_));
  *event.mutable_involvedobject() = regarding;
  event.set_type(std::string(happening.type));
  event.set_reason(std::string(happening.reason));
  event.set_message(shortened(happening.message, message_bytes_max));
  event.mutable_source()->set_component(component_);
  if (!host_.empty()) event.mutable_source()->set_host(host_);
  event.set_reportingcomponent(component_);
  if (!host_.empty()) event.set_reportinginstance(host_);
  set_time(*event.mutable_firsttimestamp(), clock_.wall());
  set_time(*event.mutable_lasttimestamp(), clock_.wall());
  event.set_count(1);
  known_.push_front({what, now, event});
  by_what_[known_.front().what] = known_.begin();
  if (known_.size() > known_max) {
    by_what_.erase(known_.back().what);
    known_.pop_back();
  }
  return {true, key_of(event.metadata().namespace_(), event.metadata().name())};
}

void EventLog::forget(const std::string& key) {
  for (auto at = known_.begin(); at != known_.end(); ++at) {
    if (key_of(at->event.metadata().namespace_(), at->event.metadata().name()) != key) continue;
    by_what_.erase(at->what);
    known_.erase(at);
    return;
  }
}

}  // namespace keelson

// One event in the air at a time; what waits is bounded, and the oldest goes first.
#include "nodeagent/event_writer.h"

#include <algorithm>

#include "api/kinds.h"
#include "api/proto/core/v1/event.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "base/log.h"

namespace keelson {
namespace {

constexpr std::size_t waiting_max = 500;  // while the API cannot be reached
constexpr Duration retry_first = 200ms, retry_most = 10s;

}  // namespace

struct EventWriter::Waiting {
  core::Event event;
  bool is_new = true;
};

EventWriter::EventWriter(Loop& loop, Client& client, const std::string& node_name)
    : loop_(loop), client_(client), log_("kubelet", node_name, loop.clock()) {}

EventWriter::~EventWriter() = default;

void EventWriter::record(const core::Pod& pod, std::string_view container, std::string_view type,
                         std::string_view reason, std::string_view message) {
  core::ObjectReference regarding;
  regarding.set_kind("Pod");
  regarding.set_apiversion("v1");
  regarding.set_namespace_(pod.metadata().namespace_());
  regarding.set_name(pod.metadata().name());
  regarding.set_uid(pod.metadata().uid());
  regarding.set_resourceversion(pod.metadata().resourceversion());
  if (!container.empty()) {
    const auto& init = pod.spec().initcontainers();
    const bool is_init = std::any_of(init.begin(), init.end(), [container](const auto& spec) {
      return spec.name() == container;
    });
    regarding.set_fieldpath(
        fmt::format("spec.{}{{{}}}", is_init ? "initContainers" : "containers", container));
  }
  record(regarding, type, reason, message);
}

void EventWriter::record(const core::ObjectReference& regarding, std::string_view type,
                         std::string_view reason, std::string_view message) {
  core::Event event;
  const EventLog::Said said = log_.say({regarding, type, reason, message}, event);
  auto [waiting, is_first] = waiting_.try_emplace(said.key);
  waiting->second.event = std::move(event);
  if (is_first) {
    waiting->second.is_new = said.is_new;
    order_.push_back(said.key);
  }
  if (order_.size() > waiting_max) {
    log_.forget(order_.front());
    waiting_.erase(order_.front());
    order_.pop_front();
  }
  send_next();
}

void EventWriter::send_next() {
  if (in_flight_ || order_.empty() || backing_off_) return;
  in_flight_ = true;
  const std::string key = order_.front();
  const Waiting& next = waiting_.at(key);
  auto done = [this, key, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
    if (!alive.expired()) sent(key, std::move(answer));
  };
  const core::Event event = next.event;
  if (next.is_new) {
    client_.create(kinds::event(), event, std::move(done));
  } else {
    client_.update(kinds::event(), event, {}, std::move(done));
  }
  // What is counted from here on is another write.
  waiting_.erase(key);
  order_.pop_front();
}

void EventWriter::sent(const std::string& key, Result<ObjectPtr> answer) {
  in_flight_ = false;
  if (answer) {
    retry_ = Duration(0);
    return send_next();
  }
  // It is told anew when it happens again; one event is not worth a second try.
  log_.forget(key);
  const Error& error = answer.error();
  const bool is_refused =
      error.reason != Reason::ServiceUnavailable && error.reason != Reason::Timeout;
  log_warn("write event", {{"event", key}, {"error", error.message}});
  if (is_refused) return send_next();
  retry_ = std::clamp(retry_ * 2, retry_first, retry_most);
  backing_off_ = true;
  timer_ = loop_.after(retry_, [this] {
    backing_off_ = false;
    send_next();
  });
}

}  // namespace keelson

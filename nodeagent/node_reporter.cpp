// kubelet's rhythm: a look every 10 s, a write when something changed and at least every 5 minutes.
#include "nodeagent/node_reporter.h"

#include <algorithm>

#include "api/kinds.h"
#include "api/proto/core/v1/node.pb.h"
#include "base/log.h"

namespace keelson {
namespace {

constexpr Duration look_every = 10s, report_every = 300s;
constexpr Duration retry_first = 200ms, retry_most = 10s;

bool has_labels_of(const core::Node& node, const core::Node& wanted) {
  for (const auto& [key, value] : wanted.metadata().labels()) {
    const auto found = node.metadata().labels().find(key);
    if (found == node.metadata().labels().end() || found->second != value) return false;
  }
  return true;
}

// Others wrote over what we said: the control plane, when it took us for dead.
bool is_overwritten(const core::NodeStatus& stored, const core::NodeStatus& ours) {
  for (const auto& condition : ours.conditions()) {
    for (const auto& there : stored.conditions()) {
      if (there.type() == condition.type() && there.status() != condition.status()) return true;
    }
  }
  return false;
}

}  // namespace

NodeReporter::NodeReporter(Loop& loop, Client& client, NodeIdentity identity, Machine machine,
                           Sources sources)
    : loop_(loop),
      client_(client),
      identity_(std::move(identity)),
      machine_(std::move(machine)),
      sources_(std::move(sources)) {}

NodeReporter::~NodeReporter() = default;

void NodeReporter::start() {
  fetch();
}

void NodeReporter::fetch() {
  in_flight_ = true;
  client_.get(kinds::node(), identity_.name,
              [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                if (alive.expired()) return;
                in_flight_ = false;
                if (answer) return seen(**answer);
                if (answer.error().reason == Reason::NotFound) return create();
                retry_later(answer.error());
              });
}

void NodeReporter::create() {
  core::Node node;
  node.mutable_metadata()->set_name(identity_.name);
  set_node_labels(node, identity_, machine_);
  *node.mutable_status() = status();
  in_flight_ = true;
  client_.create(kinds::node(), node,
                 [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                   if (alive.expired()) return;
                   in_flight_ = false;
                   if (answer) return seen(**answer);
                   retry_later(answer.error());
                 });
}

void NodeReporter::seen(const Object& object) {
  const bool first = !node_;
  node_ = std::make_unique<core::Node>();
  decode_into(object, *node_);
  retry_ = Duration(0);
  if (first) {
    log_info("node registered", {{"node", identity_.name}, {"uid", object.uid}});
    sources_.registered(*node_);
  }
  core::Node wanted = *node_;
  set_node_labels(wanted, identity_, machine_);
  if (has_labels_of(*node_, wanted)) return look();
  write(wanted, {});
}

void NodeReporter::apply(const Object& object) {
  if (!node_) return;  // registration is under way
  auto newer = std::make_unique<core::Node>();
  decode_into(object, *newer);
  node_ = std::move(newer);
  look();
}

void NodeReporter::changed() {
  if (node_) look();
}

core::NodeStatus NodeReporter::status() const {
  const core::NodeStatus before = node_ ? node_->status() : core::NodeStatus();
  // Without a reading the last is not repeated: no floor is told as passed.
  const Pressure unknown{.memory_available_bytes = INT64_MAX,
                         .disk_available_bytes = INT64_MAX,
                         .inodes_available = INT64_MAX,
                         .pids_available = INT64_MAX};
  return make_node_status(identity_, machine_, sources_.pressure().value_or(unknown),
                          sources_.images(), sources_.checks(), before, loop_.clock().wall());
}

void NodeReporter::look() {
  if (in_flight_ || backing_off_) return;
  timer_ = loop_.after(look_every, [this] { look(); });
  const core::NodeStatus now = status();
  if (sent_ && loop_.clock().now() - sent_at_ < report_every && same_but_heartbeat(now, *sent_) &&
      !is_overwritten(node_->status(), now)) {
    return;
  }
  core::Node node = *node_;
  *node.mutable_status() = now;
  write(node, "status");
}

void NodeReporter::write(const core::Node& node, const std::string& subresource) {
  in_flight_ = true;
  auto wrote = [this, alive = std::weak_ptr(alive_), subresource,
                status = node.status()](Result<ObjectPtr> answer) {
    if (alive.expired()) return;
    in_flight_ = false;
    if (!answer) {
      // Somebody wrote meanwhile, or deleted it: look again at what is there.
      if (answer.error().reason == Reason::Conflict) return fetch();
      if (answer.error().reason == Reason::NotFound) return create();
      return retry_later(answer.error());
    }
    if (subresource == "status") {
      sent_ = std::make_unique<core::NodeStatus>(status);
      sent_at_ = loop_.clock().now();
    }
    seen(**answer);
  };
  client_.update(kinds::node(), node, subresource, std::move(wrote));
}

void NodeReporter::retry_later(const Error& error) {
  log_warn("node status", {{"node", identity_.name}, {"error", error.message}});
  retry_ = std::clamp(retry_ * 2, retry_first, retry_most);
  backing_off_ = true;
  timer_ = loop_.after(retry_, [this] {
    backing_off_ = false;
    fetch();
  });
}

}  // namespace keelson

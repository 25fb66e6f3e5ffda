// From reflectors to maps, with the failures in between.
#include "proxy/service_sync.h"

#include <algorithm>
#include <utility>

#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "api/types.h"
#include "base/log.h"

namespace keelson::proxy {
namespace {

constexpr Duration retry_first = 1s;
constexpr Duration retry_most = 30s;

}  // namespace

ServiceSync::ServiceSync(Loop& loop, Maps& maps, Settings settings)
    : loop_(loop),
      writer_(maps),
      table_(std::move(settings.node_name), std::move(settings.builtin)),
      put_in_force_(std::move(settings.put_in_force)),
      retry_after_(retry_first) {}

void ServiceSync::ServiceSink::put(ObjectPtr object) {
  sync_.table_.put(decode<core::Service>(*object));
  sync_.schedule();
}

void ServiceSync::ServiceSink::erase(std::string_view key, Revision, ObjectPtr) {
  const auto [name_space, name] = split_key(key);
  sync_.table_.erase_service(name_space, name);
  sync_.schedule();
}

std::vector<std::string> ServiceSync::ServiceSink::keys() const {
  return sync_.directory().keys();
}

void ServiceSync::ServiceSink::advance(Revision revision) {
  sync_.advance(sync_.services_seen_, revision);
}

void ServiceSync::SliceSink::put(ObjectPtr object) {
  sync_.table_.put(decode<discovery::EndpointSlice>(*object));
  sync_.schedule();
}

void ServiceSync::SliceSink::erase(std::string_view key, Revision, ObjectPtr) {
  const auto [name_space, name] = split_key(key);
  sync_.table_.erase_slice(name_space, name);
  sync_.schedule();
}

std::vector<std::string> ServiceSync::SliceSink::keys() const {
  return sync_.directory().slice_keys();
}

void ServiceSync::SliceSink::advance(Revision revision) {
  sync_.advance(sync_.slices_seen_, revision);
}

Result<> ServiceSync::healthz() const {
  if (error_) return std::unexpected(*error_);
  if (!synced()) return fail(Reason::ServiceUnavailable, "the API's Services are not known yet");
  return {};
}

void ServiceSync::advance(Revision& seen, Revision revision) {
  seen = std::max(seen, revision);
  schedule();
}

void ServiceSync::schedule() {
  if (!synced() || scheduled_) return;
  scheduled_ = loop_.after(0s, [this] { program(); });
}

// What the API says now. What failed before is not tried again with each change: a map that is full
// stays full.
void ServiceSync::program() {
  scheduled_.reset();
  const Revision seen = std::min(services_seen_, slices_seen_);
  RowChanges changes = table_.take_changes();
  if (!std::exchange(started_, true))
    for (const auto& front : writer_.fronts()) changes.try_emplace(front, std::nullopt);
  write(changes);
  if (failed_.empty()) put_in_force();
  if (!error_) {
    programmed_ = std::max(programmed_, seen);
    retry_after_ = retry_first;
    retry_.reset();
  } else if (!retry_) {
    log_error("services are not all in the kernel", {{"error", error_->message}});
    retry_ = loop_.after(retry_after_, [this] { retry(); });
    retry_after_ = std::min(retry_after_ * 2, retry_most);
  }
}

void ServiceSync::retry() {
  retry_.reset();
  RowChanges changes = table_.take_changes();
  changes.merge(std::exchange(failed_, {}));
  write(changes);
  program();
}

void ServiceSync::write(const RowChanges& changes) {
  for (const auto& [front, row] : changes) failed_.erase(front);
  auto outcome = writer_.write(changes);
  failed_.merge(outcome.failed);
  if (failed_.empty()) {
    error_.reset();
  } else if (outcome.error) {
    const auto described = outcome.error->during("{} service ports, the first {}", failed_.size(),
                                                 front_text(failed_.begin()->first));
    error_ = described.error();
  }
}

void ServiceSync::put_in_force() {
  if (!put_in_force_) return;
  if (auto done = put_in_force_(); done)
    put_in_force_ = nullptr;
  else
    error_ = done.error();
}

}  // namespace keelson::proxy

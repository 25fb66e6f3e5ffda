// Renewed by update under its resourceVersion; whoever else wrote it is read and outvoted.
#include "nodeagent/lease.h"

#include "api/kinds.h"
#include "api/object.h"
#include "api/proto/coordination/v1.pb.h"
#include "base/log.h"

namespace keelson {
namespace {

constexpr const char* lease_name_space = "kube-node-lease";
constexpr int renewals_per_life = 4;  // kubelet's nodeLeaseRenewIntervalFraction

void set_micro_time(meta::MicroTime& time, WallTime at) {
  const auto since = at.time_since_epoch();
  time.set_seconds(since / 1s);
  time.set_nanos(static_cast<std::int32_t>(since % 1s / 1us) * 1'000);
}

}  // namespace

LeaseKeeper::LeaseKeeper(Loop& loop, Client& client, Options options)
    : loop_(loop), client_(client), options_(std::move(options)) {
  fetch();
}

LeaseKeeper::~LeaseKeeper() = default;

void LeaseKeeper::again_after(Duration delay) {
  timer_ = loop_.after(delay, [this] { lease_ ? renew() : fetch(); });
}

void LeaseKeeper::answered(Result<ObjectPtr> answer) {
  if (answer) {
    lease_ = std::make_unique<coordination::Lease>();
    decode_into(**answer, *lease_);
    return again_after(options_.duration / renewals_per_life);
  }
  // A lease that lapses makes the control plane evict: try again soon, from what is there.
  lease_.reset();
  log_warn("renew lease", {{"node", options_.node_name}, {"error", answer.error().message}});
  again_after(options_.duration / (4 * renewals_per_life));
}

void LeaseKeeper::fetch() {
  client_.get(kinds::lease(), key_of(lease_name_space, options_.node_name),
              [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                if (alive.expired()) return;
                if (!answer && answer.error().reason == Reason::NotFound) return create();
                if (!answer) return answered(std::move(answer));
                lease_ = std::make_unique<coordination::Lease>();
                decode_into(**answer, *lease_);
                renew();
              });
}

void LeaseKeeper::create() {
  coordination::Lease lease;
  lease.mutable_metadata()->set_name(options_.node_name);
  lease.mutable_metadata()->set_namespace_(lease_name_space);
  auto& owner = *lease.mutable_metadata()->add_ownerreferences();
  owner.set_apiversion("v1");
  owner.set_kind("Node");
  owner.set_name(options_.node_name);
  owner.set_uid(options_.node_uid);
  lease.mutable_spec()->set_holderidentity(options_.node_name);
  lease.mutable_spec()->set_leasedurationseconds(static_cast<int>(options_.duration / 1s));
  set_micro_time(*lease.mutable_spec()->mutable_renewtime(), loop_.clock().wall());
  client_.create(kinds::lease(), lease,
                 [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                   if (!alive.expired()) answered(std::move(answer));
                 });
}

void LeaseKeeper::renew() {
  coordination::Lease lease = *lease_;
  lease.mutable_spec()->set_holderidentity(options_.node_name);
  lease.mutable_spec()->set_leasedurationseconds(static_cast<int>(options_.duration / 1s));
  set_micro_time(*lease.mutable_spec()->mutable_renewtime(), loop_.clock().wall());
  client_.update(kinds::lease(), lease, {},
                 [this, alive = std::weak_ptr(alive_)](Result<ObjectPtr> answer) {
                   if (!alive.expired()) answered(std::move(answer));
                 });
}

}  // namespace keelson

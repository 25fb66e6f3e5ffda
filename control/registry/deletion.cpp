// Pure: metadata in, metadata out.
#include "control/registry/deletion.h"

#include <algorithm>

#include "api/proto/core/v1/namespace.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "control/registry/errors.h"

namespace keelson {
namespace {

constexpr std::string_view orphan_finalizer = "orphan";
constexpr std::string_view foreground_finalizer = "foregroundDeletion";

bool has_finalizer(const meta::ObjectMeta& metadata, std::string_view finalizer) {
  return std::ranges::find(metadata.finalizers(), finalizer) != metadata.finalizers().end();
}

// The policy if there is one; else what an earlier delete asked for; else the kind's default.
std::string_view policy_of(const Kind& kind, const meta::ObjectMeta& metadata,
                           const DeleteOptions& options) {
  if (!options.propagation_policy.empty()) return options.propagation_policy;
  if (has_finalizer(metadata, orphan_finalizer)) return "Orphan";
  if (has_finalizer(metadata, foreground_finalizer)) return "Foreground";
  return kind.orphans_by_default ? "Orphan" : "Background";
}

void bump_generation(meta::ObjectMeta& metadata) {
  if (metadata.generation() > 0) metadata.set_generation(metadata.generation() + 1);
}

void set_deletion(meta::ObjectMeta& metadata, WallTime at, std::int64_t grace_seconds) {
  if (!metadata.has_deletiontimestamp()) bump_generation(metadata);
  set_time(*metadata.mutable_deletiontimestamp(), at);
  metadata.set_deletiongraceperiodseconds(grace_seconds);
}

// For kinds without grace: held by finalizers only.
void mark_now(meta::ObjectMeta& metadata, WallTime now) {
  WallTime at = now;
  if (metadata.has_deletiontimestamp()) {
    at = std::min(at, from_time(metadata.deletiontimestamp()));
  }
  set_deletion(metadata, at, 0);
}

std::int64_t asked_grace(const DeleteOptions& options, std::int64_t otherwise) {
  const std::int64_t grace = options.grace_period_seconds.value_or(otherwise);
  return grace < 0 ? 1 : grace;
}

enum class Grace { Set, Pending };

// For kinds with grace (pods): the first delete sets it, a later one may only shorten it.
Grace set_grace(const Kind& kind, Message& message, const DeleteOptions& options, WallTime now) {
  meta::ObjectMeta& metadata = mutable_metadata_of(message);
  if (!metadata.has_deletiontimestamp()) {
    const std::int64_t default_grace = kind.grace_period_seconds(message);
    const std::int64_t grace = default_grace < 0 ? 0 : asked_grace(options, default_grace);
    set_deletion(metadata, now + std::chrono::seconds(grace), grace);
    return Grace::Set;
  }
  const std::int64_t current = metadata.deletiongraceperiodseconds();
  const std::int64_t grace = asked_grace(options, current);
  if (grace >= current) return Grace::Pending;
  const WallTime deleted_at =
      from_time(metadata.deletiontimestamp()) - std::chrono::seconds(current);
  set_deletion(metadata, deleted_at + std::chrono::seconds(grace), grace);
  return Grace::Set;
}

}  // namespace

Result<> check_delete_options(const DeleteOptions& options) {
  const std::string& policy = options.propagation_policy;
  if (policy.empty() || policy == "Foreground" || policy == "Background" || policy == "Orphan") {
    return {};
  }
  FieldErrors errors;
  errors.not_supported(FieldPath("propagationPolicy"), policy,
                       {"Foreground", "Background", "Orphan", "nil"});
  return std::unexpected(errors.to_error("meta.k8s.io", "DeleteOptions", ""));
}

Result<> check_preconditions(const Object& object, const DeleteOptions& options) {
  if (!options.uid.empty() && options.uid != object.uid) {
    return conflict(*object.kind, object.name,
                    fmt::format("the UID in the precondition ({}) does not match the UID in record "
                                "({}). The object might have been deleted and then recreated",
                                options.uid, object.uid));
  }
  const std::string& revision = options.resource_version;
  if (!revision.empty() && revision != std::to_string(object.resource_version)) {
    return conflict(*object.kind, object.name,
                    fmt::format("the ResourceVersion in the precondition ({}) does not match the "
                                "ResourceVersion in record ({}). The object might have been "
                                "modified",
                                revision, object.resource_version));
  }
  return {};
}

Deletion plan_deletion(const Kind& kind, Message& message, const DeleteOptions& options,
                       WallTime now) {
  meta::ObjectMeta& metadata = mutable_metadata_of(message);
  const bool marked_without_grace =
      metadata.has_deletiontimestamp() && !metadata.has_deletiongraceperiodseconds();
  const bool has_grace = kind.grace_period_seconds && !marked_without_grace;
  if (has_grace && set_grace(kind, message, options, now) == Grace::Pending) {
    return Deletion::Pending;
  }
  set_garbage_finalizers(kind, metadata, options);
  if (metadata.finalizers().empty()) {
    const bool in_grace = has_grace && metadata.deletiongraceperiodseconds() > 0;
    return in_grace ? Deletion::Mark : Deletion::Remove;
  }
  if (!has_grace) mark_now(metadata, now);
  return Deletion::Mark;
}

bool set_garbage_finalizers(const Kind& kind, meta::ObjectMeta& metadata,
                            const DeleteOptions& options) {
  const std::string_view policy = policy_of(kind, metadata, options);
  std::vector<std::string> wanted;
  for (const auto& finalizer : metadata.finalizers()) {
    if (finalizer != orphan_finalizer && finalizer != foreground_finalizer) {
      wanted.push_back(finalizer);
    }
  }
  if (policy == "Orphan") wanted.emplace_back(orphan_finalizer);
  if (policy == "Foreground") wanted.emplace_back(foreground_finalizer);
  if (std::ranges::is_permutation(wanted, metadata.finalizers())) return false;
  metadata.mutable_finalizers()->Assign(wanted.begin(), wanted.end());
  return true;
}

bool ends_deletion(const Message& before, const Message& after) {
  const meta::ObjectMeta& old = metadata_of(before);
  if (!metadata_of(after).finalizers().empty()) return false;
  if (!old.has_deletiontimestamp() || old.deletiongraceperiodseconds() != 0) return false;
  const auto* name_space = dynamic_cast<const core::Namespace*>(&after);
  return !name_space || name_space->spec().finalizers().empty();
}

}  // namespace keelson

// What an update of a pod may change.
#include <algorithm>

#include "api/go_syntax.h"
#include "api/message_diff.h"
#include "api/pod_spec.h"
#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/topology.pb.h"

namespace keelson {
namespace pod_spec {
namespace {

constexpr std::string_view updatable =
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

// Both at one path, before and after.
struct Update {
  const core::PodSpec& before;
  const core::PodSpec& after;
  const FieldPath path;
  FieldErrors& errors;
};

// False: there is no use in looking further.
bool check_count(Update& update, const char* list, int before, int after) {
  if (before == after) return true;
  update.errors.forbidden(update.path / list, "pod updates may not add or remove containers");
  return false;
}

bool check_deadline(Update& update) {
  const FieldPath at = update.path / "activeDeadlineSeconds";
  const std::int64_t seconds = update.after.activedeadlineseconds();
  if (!update.after.has_activedeadlineseconds()) {
    if (update.before.has_activedeadlineseconds()) {
      update.errors.invalid_raw(at, "null", "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (const auto texts = check_range(seconds, 0, INT32_MAX); !texts.empty()) {
    update.errors.invalid_number(at, seconds, texts.front());
    return false;
  }
  if (update.before.has_activedeadlineseconds() &&
      update.before.activedeadlineseconds() < seconds) {
    update.errors.invalid_number(at, seconds, "must be less than or equal to previous value");
    return false;
  }
  return true;
}

// Equal but for their seconds, which may change.
bool is_same_toleration(core::Toleration before, core::Toleration after) {
  before.clear_tolerationseconds();
  after.clear_tolerationseconds();
  return is_equal(before, after);
}

void check_only_added(Update& update) {
  const auto& after = update.after.tolerations();
  for (const auto& toleration : update.before.tolerations()) {
    const bool is_kept = std::ranges::any_of(
        after, [&](const core::Toleration& one) { return is_same_toleration(toleration, one); });
    if (is_kept) continue;
    return update.errors.forbidden(
        update.path / "tolerations",
        "existing toleration can not be modified except its tolerationSeconds");
  }
}

void check_only_deleted_gates(Update& update) {
  std::set<std::string_view> known;
  for (const auto& gate : update.before.schedulinggates()) known.insert(gate.name());
  each(update.path / "schedulingGates", update.after.schedulinggates(),
       [&](const FieldPath& at, const core::PodSchedulingGate& gate) {
         if (known.contains(gate.name())) return;
         update.errors.forbidden(
             at / "name",
             fmt::format("only deletion is allowed, but found new scheduling gate '{}'",
                         gate.name()));
       });
}

void check_node_selector(Update& update) {
  const auto& after = update.after.nodeselector();
  for (const auto& [key, value] : update.before.nodeselector()) {
    const auto found = after.find(key);
    if (found != after.end() && found->second == value) continue;
    return update.errors.invalid_raw(
        update.path / "nodeSelector", go_syntax(after),
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
  }
}

template <typename T>
bool begins_with(const List<T>& after, const List<T>& before) {
  if (after.size() < before.size()) return false;
  for (int i = 0; i < before.size(); ++i) {
    if (!is_equal(after.Get(i), before.Get(i))) return false;
  }
  return true;
}

bool has_only_additions(const core::NodeSelectorTerm& before, const core::NodeSelectorTerm& after) {
  // An empty term matches nothing: an addition would let it match.
  if (before.matchexpressions().empty() && before.matchfields().empty()) {
    return after.matchexpressions().empty() && after.matchfields().empty();
  }
  return begins_with(after.matchexpressions(), before.matchexpressions()) &&
         begins_with(after.matchfields(), before.matchfields());
}

void check_node_affinity(Update& update) {
  const auto terms_of = [](const core::PodSpec& spec) -> const List<core::NodeSelectorTerm>& {
    return spec.affinity()
        .nodeaffinity()
        .requiredduringschedulingignoredduringexecution()
        .nodeselectorterms();
  };
  const auto& before = terms_of(update.before);
  const auto& after = terms_of(update.after);
  const FieldPath at = update.path / "affinity" / "nodeAffinity" /
                       "requiredDuringSchedulingIgnoredDuringExecution" / "nodeSelectorTerms";
  if (before.empty()) return;
  if (before.size() != after.size()) {
    return update.errors.invalid(
        at, "", "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  }
  for (int i = 0; i < before.size(); ++i) {
    if (has_only_additions(before.Get(i), after.Get(i))) continue;
    update.errors.invalid(at[static_cast<std::size_t>(i)], "",
                          "only additions are allowed (no mutations or deletions)");
  }
}

// While it is not scheduled yet, a gated pod may be told where to go.
void take_back_placement(Update& update, core::PodSpec& spec) {
  check_node_selector(update);
  *spec.mutable_nodeselector() = update.before.nodeselector();
  check_node_affinity(update);
  if (update.before.affinity().has_nodeaffinity()) {
    *spec.mutable_affinity()->mutable_nodeaffinity() = update.before.affinity().nodeaffinity();
  } else if (spec.has_affinity()) {
    spec.mutable_affinity()->clear_nodeaffinity();
    if (!update.before.has_affinity() && spec.affinity().ByteSizeLong() == 0) spec.clear_affinity();
  }
}

// The new spec with what may change taken back: the rest must be equal.
core::PodSpec with_allowed_changes_undone(Update& update) {
  core::PodSpec spec = update.after;
  for (int i = 0; i < spec.containers_size(); ++i) {
    spec.mutable_containers(i)->set_image(update.before.containers(i).image());
  }
  for (int i = 0; i < spec.initcontainers_size(); ++i) {
    spec.mutable_initcontainers(i)->set_image(update.before.initcontainers(i).image());
  }
  spec.clear_activedeadlineseconds();
  if (update.before.has_activedeadlineseconds()) {
    spec.set_activedeadlineseconds(update.before.activedeadlineseconds());
  }
  *spec.mutable_schedulinggates() = update.before.schedulinggates();
  *spec.mutable_tolerations() = update.before.tolerations();
  if (update.before.terminationgraceperiodseconds() < 0 &&
      spec.terminationgraceperiodseconds() == 1) {
    spec.set_terminationgraceperiodseconds(update.before.terminationgraceperiodseconds());
  }
  if (!update.before.schedulinggates().empty()) take_back_placement(update, spec);
  return spec;
}

void check_update(Update& update) {
  if (!check_count(update, "containers", update.before.containers_size(),
                   update.after.containers_size()) ||
      !check_count(update, "initContainers", update.before.initcontainers_size(),
                   update.after.initcontainers_size()) ||
      !check_deadline(update)) {
    return;
  }
  check_only_added(update);
  check_only_deleted_gates(update);
  if (is_equal(update.before, update.after)) return;
  const core::PodSpec undone = with_allowed_changes_undone(update);
  const std::string changes = difference(update.before, undone, update.path.text());
  if (changes.empty()) return;
  update.errors.forbidden(
      update.path,
      fmt::format("pod updates may not change fields other than {}\n{}", updatable, changes));
}

}  // namespace
}  // namespace pod_spec

void check_pod_update(const core::Pod& before, const core::Pod& after, FieldErrors& errors) {
  pod_spec::Update update{before.spec(), after.spec(), FieldPath("spec"), errors};
  pod_spec::check_update(update);
}

}  // namespace keelson

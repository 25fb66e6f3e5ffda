// POST of pods/NAME/binding: the pod gets its node, once.
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/pod_options.pb.h"
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

Result<> check_binding(const Target& target, const core::Binding& binding) {
  const std::string& name = binding.metadata().name();
  if (!name.empty() && name != target.name) {
    return fail(Reason::BadRequest, "name in URL does not match name in Binding object");
  }
  FieldErrors errors;
  const FieldPath path("target");
  if (!binding.target().kind().empty() && binding.target().kind() != "Node") {
    errors.not_supported(path / "kind", binding.target().kind(), {"Node", "<empty>"});
  }
  if (binding.target().name().empty()) errors.required(path / "name");
  if (errors.empty()) return {};
  return std::unexpected(errors.to_error("", "Binding", target.name));
}

// Why this pod cannot be bound; empty: it can.
std::string refusal(const core::Pod& pod) {
  const std::string& name = pod.metadata().name();
  if (pod.metadata().has_deletiontimestamp()) {
    return fmt::format("pod {} is being deleted, cannot be assigned to a host", name);
  }
  if (!pod.spec().nodename().empty()) {
    return fmt::format("pod {} is already assigned to node \"{}\"", name, pod.spec().nodename());
  }
  if (!pod.spec().schedulinggates().empty()) {
    return fmt::format("pod {} has non-empty .spec.schedulingGates", name);
  }
  return {};
}

void set_scheduled(core::PodStatus& status, WallTime now) {
  core::PodCondition* scheduled = nullptr;
  for (auto& condition : *status.mutable_conditions()) {
    if (condition.type() == "PodScheduled") scheduled = &condition;
  }
  if (!scheduled) scheduled = status.add_conditions();
  scheduled->Clear();
  scheduled->set_type("PodScheduled");
  scheduled->set_status("True");
  set_time(*scheduled->mutable_lasttransitiontime(), now);
}

Failure cannot_bind(const Target& target, std::string_view why) {
  Error error = conflict(target.kind, target.name, why).error();
  error.message =
      fmt::format("Operation cannot be fulfilled on pods/binding \"{}\": {}", target.name, why);
  return Failure(std::move(error));
}

}  // namespace

Result<Answer> Registry::bind(const Target& target, const Message& message,
                              RequestContext& context) {
  if (&target.kind != &kinds::pod()) return not_supported(target.kind, "binding", "create");
  const auto& binding = static_cast<const core::Binding&>(message);
  if (auto ok = check_binding(target, binding); !ok) return std::unexpected(ok.error());
  Write write{.target = target, .context = context};
  write.existing = view().get(target.kind, target.name_space, target.name);
  if (!write.existing) return not_found(target.kind, target.name);
  if (const auto& uid = binding.metadata().uid(); !uid.empty() && uid != write.existing->uid) {
    return cannot_bind(target,
                       fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                   "meta: {}",
                                   uid, write.existing->uid));
  }
  auto pod = std::make_unique<core::Pod>();
  decode_into(*write.existing, *pod);
  if (const std::string why = refusal(*pod); !why.empty()) return cannot_bind(target, why);
  pod->mutable_spec()->set_nodename(binding.target().name());
  for (const auto& [key, value] : binding.metadata().annotations()) {
    (*pod->mutable_metadata()->mutable_annotations())[key] = value;
  }
  set_scheduled(*pod->mutable_status(), now());
  write.after = std::move(pod);
  auto answer = commit(write);
  if (answer) {
    answer->created = true;
    answer->status_only = true;
  }
  return answer;
}

}  // namespace keelson

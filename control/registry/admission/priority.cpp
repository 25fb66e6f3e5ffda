// A pod's priority is its class's number: 0 without a class, or what the default class says.
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/scheduling/v1.pb.h"
#include "control/registry/admission.h"
#include "control/registry/errors.h"

namespace keelson {
namespace {

struct Priority {
  std::string class_name;
  std::int32_t value = 0;
  std::string preemption_policy = "PreemptLowerPriority";
};

Priority priority_of(const Object& object) {
  const auto priority_class = decode<scheduling::PriorityClass>(object);
  Priority priority{.class_name = object.name, .value = priority_class.value()};
  if (priority_class.has_preemptionpolicy()) {
    priority.preemption_policy = priority_class.preemptionpolicy();
  }
  return priority;
}

// Upstream makes objects of these two at start; they cannot be changed.
const Priority* system_priority(std::string_view class_name) {
  static const Priority system[] = {{"system-cluster-critical", 2'000'000'000},
                                    {"system-node-critical", 2'000'001'000}};
  for (const auto& priority : system) {
    if (priority.class_name == class_name) return &priority;
  }
  return nullptr;
}

// Null while PriorityClass is not among the kinds that are served.
const Kind* priority_class_kind() {
  return find_kind("scheduling.k8s.io/v1", "PriorityClass");
}

// Of several default classes the one with the lowest value counts.
Priority default_priority(const View& view) {
  std::optional<Priority> found;
  const Kind* kind = priority_class_kind();
  for (const auto& object : kind ? view.list(*kind) : std::vector<ObjectPtr>{}) {
    if (!decode<scheduling::PriorityClass>(*object).globaldefault()) continue;
    Priority priority = priority_of(*object);
    if (!found || priority.value < found->value) found = std::move(priority);
  }
  return found.value_or(Priority{});
}

std::optional<Priority> find_priority(const View& view, const std::string& class_name) {
  if (class_name.empty()) return default_priority(view);
  if (const Priority* system = system_priority(class_name)) return *system;
  const Kind* kind = priority_class_kind();
  const ObjectPtr object = kind ? view.get(*kind, "", class_name) : nullptr;
  if (!object) return std::nullopt;
  return priority_of(*object);
}

Result<> admit_new(const View& view, const Write& write, core::PodSpec& spec) {
  const auto refuse = [&](std::string_view why) {
    return forbidden(write.kind(), name_for_messages(write), why);
  };
  const auto priority = find_priority(view, spec.priorityclassname());
  if (!priority) {
    return refuse(fmt::format("no PriorityClass with name {} was found", spec.priorityclassname()));
  }
  if (spec.has_priority() && spec.priority() != priority->value) {
    return refuse(fmt::format(
        "the integer value of priority ({}) must not be provided in pod spec; priority admission "
        "controller computed {} from the given PriorityClass name",
        spec.priority(), priority->value));
  }
  if (spec.has_preemptionpolicy() && spec.preemptionpolicy() != priority->preemption_policy) {
    return refuse(fmt::format(
        "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority "
        "admission controller computed {} from the given PriorityClass name",
        spec.preemptionpolicy(), priority->preemption_policy));
  }
  if (!priority->class_name.empty()) spec.set_priorityclassname(priority->class_name);
  spec.set_priority(priority->value);
  spec.set_preemptionpolicy(priority->preemption_policy);
  return {};
}

// An update that leaves them out keeps them.
void keep(const core::PodSpec& before, core::PodSpec& after) {
  if (!after.has_priority() && before.has_priority()) after.set_priority(before.priority());
  if (!after.has_preemptionpolicy() && before.has_preemptionpolicy()) {
    after.set_preemptionpolicy(before.preemptionpolicy());
  }
}

}  // namespace

Result<> admit_priority(const View& view, AdmissionVerb verb, const Write& write) {
  if (verb == AdmissionVerb::Delete || &write.kind() != &kinds::pod()) return {};
  if (!write.target.subresource.empty()) return {};
  auto& spec = *static_cast<core::Pod&>(*write.after).mutable_spec();
  if (verb == AdmissionVerb::Create) return admit_new(view, write, spec);
  keep(static_cast<const core::Pod&>(*write.before).spec(), spec);
  return {};
}

}  // namespace keelson

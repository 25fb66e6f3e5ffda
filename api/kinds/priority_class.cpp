// PriorityClass: a name for how much a pod matters.
#include "api/proto/scheduling/v1.pb.h"

#include "api/cells.h"
#include "api/row.h"

namespace keelson {
namespace {

// What is above is the system's own.
constexpr std::int32_t highest_user_priority = 1'000'000'000;

struct SystemClass {
  std::string_view name;
  std::int32_t value;
};
constexpr SystemClass system_classes[] = {{"system-node-critical", 2'000'001'000},
                                          {"system-cluster-critical", 2'000'000'000}};

// Why it is not one of the system's; empty: it is.
std::string not_a_system_class(const scheduling::PriorityClass& one) {
  const std::string& name = one.metadata().name();
  for (const SystemClass& known : system_classes) {
    if (known.name != name) continue;
    if (known.value != one.value()) {
      return fmt::format("value of {} PriorityClass must be {}", name, known.value);
    }
    return one.globaldefault()
               ? fmt::format("globalDefault of {} PriorityClass must be false", name)
               : std::string();
  }
  return name + " is not a known system priority class";
}

void set_defaults(Message& message) {
  auto& one = as<scheduling::PriorityClass>(message);
  if (!one.has_preemptionpolicy()) one.set_preemptionpolicy("PreemptLowerPriority");
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& one = as<scheduling::PriorityClass>(message);
  const std::string& name = one.metadata().name();
  if (name.starts_with("system-")) {
    if (const std::string why = not_a_system_class(one); !why.empty()) {
      errors.forbidden(FieldPath("metadata") / "name",
                       "priority class names with 'system-' prefix are reserved for system use "
                       "only. error: " +
                           why);
    }
  } else if (one.value() > highest_user_priority) {
    errors.forbidden(FieldPath("value"),
                     fmt::format("maximum allowed value of a user defined priority is {}",
                                 highest_user_priority));
  }
  const std::string& policy = one.preemptionpolicy();
  if (policy != "PreemptLowerPriority" && policy != "Never") {
    errors.not_supported(FieldPath("preemptionPolicy"), policy, {"PreemptLowerPriority", "Never"});
  }
}

void validate_update(const Message& before_message, const Message& after_message,
                     FieldErrors& errors) {
  const auto& before = as<scheduling::PriorityClass>(before_message);
  const auto& after = as<scheduling::PriorityClass>(after_message);
  if (before.value() != after.value()) {
    errors.forbidden(FieldPath("value"), "may not be changed in an update.");
  }
  if (before.preemptionpolicy() != after.preemptionpolicy()) {
    errors.invalid(FieldPath("preemptionPolicy"), after.preemptionpolicy(), "field is immutable");
  }
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& one = as<scheduling::PriorityClass>(message);
  return {one.metadata().name(), static_cast<std::int64_t>(one.value()),
          one.globaldefault() ? "true" : "false", age_cell(one.metadata(), now),
          one.preemptionpolicy()};
}

}  // namespace

const Kind& kinds::priority_class() {
  static const Kind row = {
      .group = "scheduling.k8s.io",
      .version = "v1",
      .kind = "PriorityClass",
      .plural = "priorityclasses",
      .singular = "priorityclass",
      .short_names = {"pc"},
      .scope = Scope::Cluster,
      .prototype = &scheduling::PriorityClass::default_instance(),
      .columns = {name_column(),
                  {.name = "Value", .description = "The pods' priority."},
                  {.name = "Global-Default", .description = "Of pods that name no class."},
                  age_column(),
                  {.name = "PreemptionPolicy", .description = "Whether pods of less may go."}},
      .row = cells,
      .set_defaults = set_defaults,
      .validate = validate,
      .validate_update = validate_update,
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson

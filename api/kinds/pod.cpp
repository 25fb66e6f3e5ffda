// Pod: containers that live and die together on one node.
#include "api/proto/core/v1/pod.pb.h"

#include <charconv>

#include "api/facts.h"
#include "api/kinds/pod_columns.h"
#include "api/names.h"
#include "api/pod_spec.h"
#include "api/resource_amounts.h"
#include "api/row.h"

namespace keelson {
namespace {

const core::PodSpec& spec(const Message& message) {
  return as<core::Pod>(message).spec();
}
const core::PodStatus& status(const Message& message) {
  return as<core::Pod>(message).status();
}

std::vector<SelectableField> selectable_fields() {
  return {
      {"spec.nodeName", [](const Message& m) { return spec(m).nodename(); }, true},
      {"spec.restartPolicy", [](const Message& m) { return spec(m).restartpolicy(); }},
      {"spec.schedulerName", [](const Message& m) { return spec(m).schedulername(); }},
      {"spec.serviceAccountName", [](const Message& m) { return spec(m).serviceaccountname(); }},
      {"spec.hostNetwork",
       [](const Message& m) -> std::string { return spec(m).hostnetwork() ? "true" : "false"; }},
      {"status.phase", [](const Message& m) { return status(m).phase(); }},
      {"status.podIP",
       [](const Message& m) {
         return status(m).podips().empty() ? status(m).podip() : status(m).podips(0).ip();
       }},
      {"status.nominatedNodeName", [](const Message& m) { return status(m).nominatednodename(); }},
  };
}

void prepare_create(Message& message) {
  auto& pod = as<core::Pod>(message);
  core::PodStatus& status = *pod.mutable_status();
  status.Clear();
  status.set_phase("Pending");
  status.set_qosclass(std::string(qos_class_of(pod.spec())));
  if (pod.spec().schedulinggates().empty()) return;
  core::PodCondition& condition = *status.add_conditions();
  condition.set_type("PodScheduled");
  condition.set_status("False");
  condition.set_reason("SchedulingGated");
  condition.set_message("Scheduling is blocked due to non-empty scheduling gates");
}

// Owners and quality of service are not the node's to say.
void prepare_status_update(const Message& before_message, Message& after_message) {
  const auto& before = as<core::Pod>(before_message);
  auto& after = as<core::Pod>(after_message);
  *after.mutable_spec() = before.spec();
  *after.mutable_metadata()->mutable_ownerreferences() = before.metadata().ownerreferences();
  if (after.status().qosclass().empty()) {
    after.mutable_status()->set_qosclass(before.status().qosclass());
  }
}

bool is_32_bit_integer(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return false;
  std::int32_t value = 0;
  const auto parsed = std::from_chars(text.begin(), text.end(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.end();
}

void check_pod_annotations(const core::Pod& pod, FieldErrors& errors) {
  const FieldPath path = FieldPath("metadata") / "annotations";
  const auto& annotations = pod.metadata().annotations();
  constexpr const char* mirror = "kubernetes.io/config.mirror";
  if (const auto found = annotations.find(mirror);
      found != annotations.end() && pod.spec().nodename().empty()) {
    errors.invalid(path.key(mirror), found->second,
                   "must set spec.nodeName if mirror pod annotation is set");
  }
  constexpr const char* cost = "controller.kubernetes.io/pod-deletion-cost";
  if (const auto found = annotations.find(cost);
      found != annotations.end() && !is_32_bit_integer(found->second)) {
    errors.invalid(path.key(cost), found->second, "must be a 32bit integer");
  }
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& pod = as<core::Pod>(message);
  const FieldPath path("spec");
  check_pod_annotations(pod, errors);
  check_pod_spec(path, pod.spec(), SpecOf::Pod, errors);
  // They come by a subresource only, which is not served yet.
  if (!pod.spec().ephemeralcontainers().empty()) {
    errors.forbidden(path / "ephemeralContainers", "cannot be set on create");
  }
  if (!pod.spec().nodename().empty() && !pod.spec().schedulinggates().empty()) {
    errors.forbidden(path / "nodeName",
                     "cannot be set until all schedulingGates have been cleared");
  }
}

void validate_update(const Message& before, const Message& after, FieldErrors& errors) {
  check_pod_update(as<core::Pod>(before), as<core::Pod>(after), errors);
}

using Statuses = google::protobuf::RepeatedPtrField<core::ContainerStatus>;

// What has ended for good does not come back.
void check_transitions(const FieldPath& path, const core::PodSpec& pod, const Statuses& before,
                       const Statuses& after, FieldErrors& errors) {
  if (pod.restartpolicy() == "Always") return;
  for (int i = 0; i < before.size(); ++i) {
    const core::ContainerStatus& old = before.Get(i);
    if (!old.state().has_terminated()) continue;
    if (old.state().terminated().exitcode() != 0 && pod.restartpolicy() == "OnFailure") continue;
    for (const core::ContainerStatus& now : after) {
      if (now.name() != old.name() || now.state().has_terminated()) continue;
      errors.forbidden(path[static_cast<std::size_t>(i)] / "state",
                       "may not be transitioned to non-terminated state");
    }
  }
}

void validate_status_update(const Message& before_message, const Message& after_message,
                            FieldErrors& errors) {
  const core::PodStatus& before = status(before_message);
  const core::PodStatus& after = status(after_message);
  const FieldPath path("status");
  if (after.nominatednodename() != before.nominatednodename() &&
      !after.nominatednodename().empty()) {
    check_value(path / "nominatedNodeName", after.nominatednodename(), check_dns_subdomain, errors);
  }
  if (after.qosclass() != before.qosclass()) {
    errors.invalid(path / "qosClass", after.qosclass(), "field is immutable");
  }
  for (int i = 0; i < after.conditions_size(); ++i) {
    // Upstream's path says metadata.
    const FieldPath at = (FieldPath("metadata") / "conditions")[static_cast<std::size_t>(i)];
    check_value(at / "Type", after.conditions(i).type(), check_qualified_name, errors);
  }
  for (int i = 0; i < after.podips_size(); ++i) {
    check_value((path / "podIPs")[static_cast<std::size_t>(i)], after.podips(i).ip(), check_ip,
                errors);
  }
  check_transitions(path / "containerStatuses", spec(before_message), before.containerstatuses(),
                    after.containerstatuses(), errors);
}

// A pod that no agent looks after, or that has ended, goes at once, whatever the delete asks for. A
// negative grace is one second.
std::int64_t grace_period_seconds(const Message& message) {
  constexpr std::int64_t at_once = -1;
  if (spec(message).nodename().empty()) return at_once;
  if (status(message).phase() == "Succeeded" || status(message).phase() == "Failed") return at_once;
  if (!spec(message).has_terminationgraceperiodseconds()) return 30;
  const std::int64_t seconds = spec(message).terminationgraceperiodseconds();
  return seconds < 0 ? 1 : seconds;
}

}  // namespace

const Kind& kinds::pod() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Pod",
      .plural = "pods",
      .singular = "pod",
      .short_names = {"po"},
      .categories = {"all"},
      .prototype = &core::Pod::default_instance(),
      .subresources =
          {{.name = "binding", .verbs = {"create"}, .version = "v1", .kind = "Binding"},
           {.name = "exec", .verbs = {"create", "get"}, .version = "v1", .kind = "PodExecOptions"},
           {.name = "log", .verbs = {"get"}},
           {.name = "status", .verbs = status_verbs}},
      .selectable_fields = selectable_fields(),
      .columns = pod_columns(),
      .row = pod_cells,
      .set_defaults = [](Message& message) { set_pod_defaults(as<core::Pod>(message)); },
      .prepare_create = prepare_create,
      .prepare_update = keep_status<core::Pod>,
      .prepare_status_update = prepare_status_update,
      .validate = validate,
      .validate_update = validate_update,
      .validate_status_update = validate_status_update,
      .warn =
          [](const Message& message, std::vector<std::string>& warnings) {
            warn_of_pod(as<core::Pod>(message), warnings);
          },
      .facts = extract_pod_facts,
      .grace_period_seconds = grace_period_seconds,
  };
  return row;
}

}  // namespace keelson

// Pod: containers that live and die together on one node.
#include "api/facts.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/row.h"

namespace keelson {
namespace {

const core::PodSpec& spec(const Message& message) {
  return as<core::Pod>(message).spec();
}
const core::PodStatus& status(const Message& message) {
  return as<core::Pod>(message).status();
}

const std::vector<SelectableField> selectable_fields = {
    {"spec.nodeName", [](const Message& m) { return spec(m).nodename(); }, true},
    {"spec.restartPolicy", [](const Message& m) { return spec(m).restartpolicy(); }},
    {"spec.schedulerName", [](const Message& m) { return spec(m).schedulername(); }},
    {"spec.serviceAccountName", [](const Message& m) { return spec(m).serviceaccountname(); }},
    {"spec.hostNetwork",
     [](const Message& m) -> std::string { return spec(m).hostnetwork() ? "true" : "false"; }},
    {"status.phase", [](const Message& m) { return status(m).phase(); }},
    {"status.podIP", [](const Message& m) { return status(m).podip(); }},
    {"status.nominatedNodeName", [](const Message& m) { return status(m).nominatednodename(); }},
};

// A pod that no agent looks after, or that has ended, goes at once, whatever the delete asks for.
std::int64_t grace_period_seconds(const Message& message) {
  constexpr std::int64_t at_once = -1;
  if (spec(message).nodename().empty()) return at_once;
  if (status(message).phase() == "Succeeded" || status(message).phase() == "Failed") return at_once;
  return spec(message).has_terminationgraceperiodseconds()
             ? spec(message).terminationgraceperiodseconds()
             : 30;
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
      .selectable_fields = selectable_fields,
      .prepare_update = keep_status<core::Pod>,
      .prepare_status_update = keep_spec<core::Pod>,
      .facts = extract_pod_facts,
      .grace_period_seconds = grace_period_seconds,
  };
  return row;
}

}  // namespace keelson

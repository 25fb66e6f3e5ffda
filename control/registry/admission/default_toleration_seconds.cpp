// A pod stays five minutes on a node that is not ready or unreachable, unless it says otherwise.
#include "api/proto/core/v1/pod.pb.h"
#include "control/registry/admission.h"

namespace keelson {
namespace {

constexpr std::int64_t toleration_seconds = 300;

bool tolerates(const core::PodSpec& spec, std::string_view taint) {
  for (const auto& toleration : spec.tolerations()) {
    const bool key = toleration.key() == taint || toleration.key().empty();
    const bool effect = toleration.effect() == "NoExecute" || toleration.effect().empty();
    if (key && effect) return true;
  }
  return false;
}

}  // namespace

Result<> admit_default_toleration_seconds(const View&, AdmissionVerb verb, const Write& write) {
  if (verb == AdmissionVerb::Delete || &write.kind() != &kinds::pod()) return {};
  if (!write.target.subresource.empty()) return {};
  auto& spec = *static_cast<core::Pod&>(*write.after).mutable_spec();
  for (const char* taint : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    if (tolerates(spec, taint)) continue;
    auto& toleration = *spec.add_tolerations();
    toleration.set_key(taint);
    toleration.set_operator_("Exists");
    toleration.set_effect("NoExecute");
    toleration.set_tolerationseconds(toleration_seconds);
  }
  return {};
}

}  // namespace keelson

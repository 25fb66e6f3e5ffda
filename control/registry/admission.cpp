// The table, in the order of upstream's recommended plugins.
#include "control/registry/admission.h"

#include "api/proto/meta/v1/object_meta.pb.h"

namespace keelson {

std::span<const AdmissionPlugin> admission_plugins() {
  static constexpr AdmissionPlugin plugins[] = {
      {"NamespaceLifecycle", admit_namespace_lifecycle},
      {"ServiceAccount", admit_service_account},
      {"Priority", admit_priority},
      {"DefaultTolerationSeconds", admit_default_toleration_seconds},
  };
  return plugins;
}

Result<> admit(const View& view, AdmissionVerb verb, const Write& write) {
  for (const auto& plugin : admission_plugins()) {
    if (auto ok = plugin.admit(view, verb, write); !ok) return ok;
  }
  return {};
}

std::string name_for_messages(const Write& write) {
  if (!write.target.name.empty() || !write.after) return write.target.name;
  const meta::ObjectMeta& metadata = metadata_of(*write.after);
  if (!metadata.name().empty()) return metadata.name();
  return metadata.generatename().empty() ? "Unknown" : metadata.generatename();
}

}  // namespace keelson

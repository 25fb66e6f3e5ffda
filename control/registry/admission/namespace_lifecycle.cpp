// A namespace must be there before anything is put into it, takes nothing new while it terminates,
// and the system's own are never deleted.
#include <algorithm>
#include <array>

#include "control/registry/admission.h"
#include "control/registry/errors.h"

namespace keelson {
namespace {

constexpr std::array<std::string_view, 3> immortal = {"default", "kube-system", "kube-public"};

}  // namespace

Result<> admit_namespace_lifecycle(const View& view, AdmissionVerb verb, const Write& write) {
  const Target& target = write.target;
  if (verb == AdmissionVerb::Delete) {
    const bool refused = &target.kind == &kinds::name_space() &&
                         std::ranges::find(immortal, target.name) != immortal.end();
    if (refused) return forbidden(target.kind, target.name, "this namespace may not be deleted");
    return {};
  }
  if (!target.kind.namespaced()) return {};
  const ObjectPtr name_space = view.get(kinds::name_space(), "", target.name_space);
  if (!name_space) return not_found(kinds::name_space(), target.name_space);
  if (verb != AdmissionVerb::Create || !name_space->deletion_time) return {};
  return forbidden(
      target.kind, name_for_messages(write),
      fmt::format("unable to create new content in namespace {} because it is being terminated",
                  target.name_space),
      {{"NamespaceTerminating", fmt::format("namespace {} is being terminated", target.name_space),
        "metadata.namespace"}});
}

}  // namespace keelson

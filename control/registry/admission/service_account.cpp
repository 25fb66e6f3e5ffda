// A pod runs as a service account that exists: "default" unless it names another. Its
// imagePullSecrets are the pod's unless the pod has its own. (Tokens are mounted by a later step.)
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service_account.pb.h"
#include "control/registry/admission.h"
#include "control/registry/errors.h"

namespace keelson {

Result<> admit_service_account(const View& view, AdmissionVerb verb, const Write& write) {
  if (verb != AdmissionVerb::Create || &write.kind() != &kinds::pod()) return {};
  auto& spec = *static_cast<core::Pod&>(*write.after).mutable_spec();
  if (spec.serviceaccountname().empty()) spec.set_serviceaccountname("default");
  spec.set_serviceaccount(spec.serviceaccountname());  // the field's older name is kept equal

  const std::string& name_space = write.target.name_space;
  const ObjectPtr account =
      view.get(kinds::service_account(), name_space, spec.serviceaccountname());
  if (!account) {
    return forbidden(write.kind(), name_for_messages(write),
                     fmt::format("error looking up service account {0}/{1}: serviceaccount \"{1}\" "
                                 "not found",
                                 name_space, spec.serviceaccountname()));
  }
  if (spec.imagepullsecrets().empty()) {
    *spec.mutable_imagepullsecrets() = decode<core::ServiceAccount>(*account).imagepullsecrets();
  }
  return {};
}

}  // namespace keelson

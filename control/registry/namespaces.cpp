// A Namespace ends in two steps. A delete marks it Terminating; its content is removed; then its
// spec.finalizers are taken away through /finalize.
#include "control/registry/namespaces.h"

#include "api/proto/core/v1/namespace.pb.h"
#include "control/registry/deletion.h"
#include "control/registry/registry.h"
#include "control/registry/write.h"

namespace keelson {

Result<Answer> Registry::remove_namespace(Write& write, const DeleteOptions& options) {
  auto& name_space = static_cast<core::Namespace&>(*write.after);
  meta::ObjectMeta& metadata = *name_space.mutable_metadata();
  if (!metadata.has_deletiontimestamp()) {
    set_time(*metadata.mutable_deletiontimestamp(), now());
    name_space.mutable_status()->set_phase("Terminating");
    set_garbage_finalizers(write.kind(), metadata, options);
  }
  if (!ends_deletion(name_space, name_space)) return commit(write);
  auto answer = commit_removal(write);
  if (answer) answer->status_only = true;
  return answer;
}

void keep_all_but_finalizers(const Message& before, Message& after) {
  auto& name_space = static_cast<core::Namespace&>(after);
  auto finalizers = std::move(*name_space.mutable_spec()->mutable_finalizers());
  const auto owners = name_space.metadata().managedfields();
  name_space.CopyFrom(before);
  *name_space.mutable_spec()->mutable_finalizers() = std::move(finalizers);
  *name_space.mutable_metadata()->mutable_managedfields() = owners;
}

}  // namespace keelson

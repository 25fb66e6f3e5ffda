// The end of every write: the revision goes into the object, and the object into the store.
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

// Equal bytes at the old revision: nothing was changed, and no revision is made.
bool is_unchanged(const Write& write) {
  mutable_metadata_of(*write.after)
      .set_resourceversion(std::to_string(write.existing->resource_version));
  return canonical_bytes(*write.after) == write.existing->bytes;
}

}  // namespace

Result<Answer> Registry::commit(Write& write) {
  if (write.existing && is_unchanged(write)) {
    return Answer{.object = write.existing, .revision = write.existing->resource_version};
  }
  Answer answer{.revision = store_.revision(), .created = !write.existing};
  if (!write.context.dry_run) {
    answer.revision = store_.next_revision();
    mutable_metadata_of(*write.after).set_resourceversion(std::to_string(answer.revision));
  }
  answer.object = make_object(write.kind(), *write.after);
  if (answer.object->bytes.size() > limits_.object_bytes) {
    return fail(Reason::RequestEntityTooLarge,
                "{} \"{}\" would take {} bytes, at most {} can be stored",
                write.kind().qualified_resource(), answer.object->name, answer.object->bytes.size(),
                limits_.object_bytes);
  }
  if (write.context.dry_run) return answer;
  if (auto ok = store_.put(answer.object); !ok) return std::unexpected(ok.error());
  return answer;
}

Result<Answer> Registry::commit_removal(Write& write) {
  Answer answer{.revision = store_.revision(), .removed = true};
  if (!write.context.dry_run) {
    answer.revision = store_.next_revision();
    mutable_metadata_of(*write.after).set_resourceversion(std::to_string(answer.revision));
  }
  answer.object = make_object(write.kind(), *write.after);
  if (write.context.dry_run) return answer;
  if (auto ok = store_.remove(answer.object); !ok) return std::unexpected(ok.error());
  return answer;
}

}  // namespace keelson

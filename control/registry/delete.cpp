// DELETE of one object and of a collection.
#include "api/proto/meta/v1/object_meta.pb.h"
#include "control/registry/admission.h"
#include "control/registry/deletion.h"
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/served.h"
#include "control/registry/write.h"

namespace keelson {

Result<Answer> Registry::remove(const Target& target, const DeleteOptions& options,
                                RequestContext& context) {
  if (target.kind.stored_as) {
    return served_answer(target.kind, remove(stored(target), options, context));
  }
  if (!target.subresource.empty() || !target.kind.has_verb("delete")) {
    return not_supported(target.kind, target.subresource, "delete");
  }
  if (auto ok = check_delete_options(options); !ok) return std::unexpected(ok.error());
  auto write = begin(target, context);
  if (!write) return std::unexpected(write.error());
  if (auto ok = admit(view(), AdmissionVerb::Delete, *write); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = check_preconditions(*write->existing, options); !ok) {
    return std::unexpected(ok.error());
  }
  write->after = target.kind.make_message();
  decode_into(*write->existing, *write->after);
  if (&target.kind == &kinds::name_space()) return remove_namespace(*write, options);

  switch (plan_deletion(target.kind, *write->after, options, now())) {
    case Deletion::Pending:
      return Answer{.object = write->existing, .revision = write->existing->resource_version};
    case Deletion::Mark:
      return commit(*write);
    case Deletion::Remove:
      break;
  }
  auto answer = commit_removal(*write);
  // Upstream answers with the last state for these two; for the rest, Status: Success.
  const bool shows_last =
      &target.kind == &kinds::pod() || &target.kind == &kinds::service_account();
  if (answer) answer->status_only = !shows_last;
  return answer;
}

Result<ListAnswer> Registry::remove_collection(const Kind& kind, const ListQuery& query,
                                               const DeleteOptions& options,
                                               RequestContext& context) {
  if (kind.stored_as) {
    return served_list(kind, remove_collection(kind.storage(), query, options, context));
  }
  if (!kind.has_verb("deletecollection")) return not_supported(kind, "", "deletecollection");
  auto listed = list(kind, query);
  if (!listed) return listed;
  ListAnswer answer{.continue_token = listed->continue_token};
  for (const auto& object : listed->items) {
    auto removed = remove({kind, object->name_space, object->name}, options, context);
    if (!removed && removed.error().reason == Reason::NotFound) continue;
    if (!removed) return std::unexpected(removed.error());
    answer.items.push_back(removed->object);
  }
  answer.revision = store_.revision();
  return answer;
}

}  // namespace keelson

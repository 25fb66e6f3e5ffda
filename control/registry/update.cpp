// PUT: the whole object, under an optimistic lock. Also how a patch's result is written.
#include "api/apply.h"
#include "api/names.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "control/registry/admission.h"
#include "control/registry/deletion.h"
#include "control/registry/errors.h"
#include "control/registry/metadata.h"
#include "control/registry/namespaces.h"
#include "control/registry/node_status.h"
#include "control/registry/registry.h"
#include "control/registry/served.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

Result<> check_revision(const Write& write) {
  const std::string& wanted = metadata_of(*write.after).resourceversion();
  if (wanted.empty() || wanted == "0") {
    if (write.kind().unconditional_update) return {};
    FieldErrors errors;
    errors.invalid_raw(FieldPath("metadata") / "resourceVersion", "0x0",
                       "must be specified for an update");
    return std::unexpected(
        errors.to_error(write.kind().group, write.kind().kind, write.existing->name));
  }
  if (wanted == std::to_string(write.existing->resource_version)) return {};
  return modified(write.kind(), write.existing->name);
}

// What this door does not write is taken from before.
void prepare(const Write& write) {
  const Kind& kind = write.kind();
  if (write.target.subresource == "status") {
    if (kind.prepare_status_update) kind.prepare_status_update(*write.before, *write.after);
    return;
  }
  if (write.target.subresource == "finalize") {
    return keep_all_but_finalizers(*write.before, *write.after);
  }
  if (kind.prepare_update) kind.prepare_update(*write.before, *write.after);
  if (kind.has_generation && spec_changed(*write.before, *write.after)) {
    mutable_metadata_of(*write.after).set_generation(metadata_of(*write.before).generation() + 1);
  }
}

Result<> validate(const Write& write) {
  const Kind& kind = write.kind();
  FieldErrors errors;
  check_metadata_update(metadata_of(*write.before), metadata_of(*write.after), errors);
  if (write.target.subresource == "status") {
    if (kind.validate_status_update) {
      kind.validate_status_update(*write.before, *write.after, errors);
    }
  } else {
    if (kind.validate) kind.validate(*write.after, errors);
    if (kind.validate_update) kind.validate_update(*write.before, *write.after, errors);
  }
  if (errors.empty()) return {};
  return std::unexpected(errors.to_error(kind.group, kind.kind, write.existing->name));
}

}  // namespace

void note_owners(const Write& write, WallTime now) {
  if (write.owners_known) return;
  track_update(write.kind(), write.existing.get(), *write.after,
               {write.context.field_manager, write.target.subresource}, now);
}

Result<> check_uid(const Write& write) {
  const meta::ObjectMeta& wanted = metadata_of(*write.after);
  const Object& existing = *write.existing;
  if (!wanted.uid().empty() && wanted.uid() != existing.uid) {
    return conflict(
        write.kind(), existing.name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                    wanted.uid(), existing.uid));
  }
  return {};
}

Result<Answer> Registry::update(const Target& target, std::unique_ptr<Message> message,
                                RequestContext& context) {
  if (target.kind.stored_as) {
    return served_answer(target.kind,
                         update(stored(target), stored_message(target.kind, *message), context));
  }
  if (!takes(target, "update")) return not_supported(target.kind, target.subresource, "update");
  if (auto ok = match_name(target, metadata_of(*message)); !ok) {
    return std::unexpected(ok.error());
  }
  if (target.subresource == "scale") return update_scale(target, *message, context);

  auto write = begin(target, context);
  if (!write) {
    if (!target.kind.create_on_update || !target.subresource.empty()) {
      return std::unexpected(write.error());
    }
    mutable_metadata_of(*message).clear_resourceversion();
    return write_new({.target = target, .context = context, .after = std::move(message)});
  }
  write->after = std::move(message);
  if (auto ok = check_uid(*write); !ok) return std::unexpected(ok.error());
  return write_changed(std::move(*write));
}

Result<Write> Registry::begin(const Target& target, RequestContext& context) const {
  Write write{.target = target, .context = context};
  write.existing = view().get(target.kind, target.name_space, target.name);
  if (!write.existing) return not_found(target.kind, target.name);
  write.before = target.kind.make_message();
  decode_into(*write.existing, *write.before);
  return write;
}

Result<Answer> Registry::write_changed(Write write) {
  const Kind& kind = write.kind();
  meta::ObjectMeta& metadata = mutable_metadata_of(*write.after);
  if (auto ok = match_namespace(write.target, metadata); !ok) return std::unexpected(ok.error());
  if (auto ok = check_revision(write); !ok) return std::unexpected(ok.error());
  if (kind.set_defaults) kind.set_defaults(*write.after);
  carry_metadata(metadata_of(*write.before), metadata);
  if (write.target.subresource == "status") keep_foreign_resources(write);
  note_owners(write, now());
  if (auto ok = admit(view(), AdmissionVerb::Update, write); !ok) {
    return std::unexpected(ok.error());
  }
  prepare(write);
  if (auto ok = validate(write); !ok) return std::unexpected(ok.error());
  if (kind.warn && write.target.subresource.empty()) {
    kind.warn(*write.after, write.context.warnings);
  }
  if (auto ok = service_addresses_.assign(write, random_); !ok) return std::unexpected(ok.error());
  if (ends_deletion(*write.before, *write.after)) return commit_removal(write);
  return commit(write);
}

}  // namespace keelson

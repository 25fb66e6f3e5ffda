// POST: a new object, named and stamped. Also what a PUT or an apply does that finds none.
#include "api/names.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "control/registry/admission.h"
#include "control/registry/errors.h"
#include "control/registry/metadata.h"
#include "control/registry/registry.h"
#include "control/registry/served.h"
#include "control/registry/write.h"

namespace keelson {

Result<Answer> Registry::create(const Target& target, std::unique_ptr<Message> message,
                                RequestContext& context) {
  if (target.kind.stored_as) {
    return served_answer(target.kind,
                         create(stored(target), stored_message(target.kind, *message), context));
  }
  if (target.subresource == "binding") return bind(target, *message, context);
  if (!target.subresource.empty() || !target.kind.has_verb("create")) {
    return not_supported(target.kind, target.subresource, "create");
  }
  if (!metadata_of(*message).resourceversion().empty()) {
    return fail(Reason::BadRequest, "resourceVersion should not be set on objects to be created");
  }
  return write_new({.target = target, .context = context, .after = std::move(message)});
}

Result<Answer> Registry::write_new(Write write) {
  const Kind& kind = write.kind();
  Message& message = *write.after;
  meta::ObjectMeta& metadata = mutable_metadata_of(message);
  if (auto ok = match_namespace(write.target, metadata); !ok) return std::unexpected(ok.error());
  if (kind.set_defaults) kind.set_defaults(message);
  begin_metadata(kind, metadata, random_, now());
  note_owners(write, now());
  if (auto ok = admit(view(), AdmissionVerb::Create, write); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = name_new(write.target, metadata); !ok) return std::unexpected(ok.error());
  if (kind.prepare_create) kind.prepare_create(message);

  FieldErrors errors;
  check_metadata(kind, metadata, errors);
  if (kind.validate) kind.validate(message, errors);
  if (!errors.empty()) {
    return std::unexpected(errors.to_error(kind.group, kind.kind, metadata.name()));
  }
  if (kind.warn) kind.warn(message, write.context.warnings);
  if (view().get(kind, metadata.namespace_(), metadata.name())) {
    return already_exists(kind, metadata.name());
  }
  if (auto ok = service_addresses_.assign(write, random_); !ok) return std::unexpected(ok.error());
  return commit(write);
}

// A name that is asked for stands; one that is left to us is tried until it is free.
Result<> Registry::name_new(const Target& target, meta::ObjectMeta& metadata) {
  constexpr std::size_t suffix = 5, base_max = 63 - suffix;
  if (!metadata.name().empty() || metadata.generatename().empty()) return {};
  const std::string base = metadata.generatename().substr(0, base_max);
  for (int attempt = 0; attempt < limits_.generate_name_attempts; ++attempt) {
    metadata.set_name(base + random_suffix(random_, suffix));
    if (!view().get(target.kind, target.name_space, metadata.name())) return {};
  }
  Error taken = already_exists(target.kind, metadata.name()).error();
  taken.message += ", the server was not able to generate a unique name for the object";
  return std::unexpected(std::move(taken));
}

}  // namespace keelson

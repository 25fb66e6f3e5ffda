// PATCH: JSON, merge and strategic merge patches of what is there, and server-side apply. The
// result is written as an update is. Between reading and writing nothing else runs here, so there
// is no conflict to try again after; a patch that carries a resourceVersion is a lock as in a PUT.
#include "api/patch.h"

#include <fmt/ranges.h>

#include "api/apply.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "control/registry/errors.h"
#include "control/registry/metadata.h"
#include "control/registry/patched.h"
#include "control/registry/registry.h"
#include "control/registry/scale.h"
#include "control/registry/served.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

Failure invalid_options(void (*find)(FieldErrors&)) {
  FieldErrors errors;
  find(errors);
  return Failure(errors.to_error("meta.k8s.io", "PatchOptions", ""));
}

// An apply of a Scale is an apply of the replicas of what it scales.
Document as_parent(const Kind& kind, const Document& scale) {
  Document document = scale;
  if (json::object* tree = document.tree.if_object()) {
    (*tree)["apiVersion"] = kind.api_version();
    (*tree)["kind"] = kind.kind;
    tree->erase("status");
  }
  return document;
}

// Upstream decodes an applied body twice, the second time minding duplicates.
Result<> check_duplicates(const Document& body, RequestContext& context) {
  if (body.duplicates.empty() || context.field_validation == FieldValidation::Ignore) return {};
  std::vector<std::string> texts = leftovers(body.duplicates, {});
  if (context.field_validation == FieldValidation::Strict) {
    return fail(Reason::BadRequest, "error strict decoding YAML: {}", fmt::join(texts, ", "));
  }
  for (auto& text : texts) context.warnings.push_back(std::move(text));
  return {};
}

}  // namespace

Result<Answer> Registry::patch(const Target& target, PatchType type, const Document& body,
                               RequestContext& context) {
  if (!takes(target, "patch")) return not_supported(target.kind, target.subresource, "patch");
  if (type == PatchType::Apply) return apply(target, body, context);
  if (context.force) {
    return invalid_options([](FieldErrors& errors) {
      errors.forbidden(FieldPath("force"), "may not be specified for non-apply patch");
    });
  }
  if (target.subresource == "scale") return patch_scale(target, type, body, context);
  if (target.kind.stored_as) return patch_served(target, type, body, context);
  auto write = begin(target, context);
  if (!write) return std::unexpected(write.error());
  auto after = patched(target.kind, *write->before, type, body, context);
  if (!after) return std::unexpected(after.error());
  write->after = std::move(*after);
  return write_changed(std::move(*write));
}

// The patch is of the served form.
Result<Answer> Registry::patch_served(const Target& target, PatchType type, const Document& body,
                                      RequestContext& context) {
  auto shown = get(target);
  if (!shown) return shown;
  const auto before = target.kind.make_message();
  decode_into(*shown->object, *before);
  auto after = patched(target.kind, *before, type, body, context);
  if (!after) return std::unexpected(after.error());
  const Target kept = stored(target);
  auto write = begin(kept, context);
  write->after = stored_message(target.kind, **after);
  return served_answer(target.kind, write_changed(std::move(*write)));
}

Result<Answer> Registry::apply(const Target& target, const Document& body,
                               RequestContext& context) {
  if (target.kind.stored_as) {
    return fail(Reason::UnsupportedMediaType, "{} of {} are kept as {}: apply them as those",
                target.kind.plural, target.kind.api_version(), target.kind.storage().api_version());
  }
  if (context.field_manager.empty()) {
    return invalid_options([](FieldErrors& errors) {
      errors.required(FieldPath("fieldManager"), "is required for apply patch");
    });
  }
  const bool scales = target.subresource == "scale";
  const Document sent = scales ? as_parent(target.kind, body) : body;
  const json::object* tree = sent.tree.if_object();
  if (!tree) return fail(Reason::BadRequest, "an apply patch must be an object");

  auto found = begin(target, context);
  if (!found && !target.subresource.empty()) return std::unexpected(found.error());
  Write write = found ? std::move(*found) : Write{.target = target, .context = context};
  write.owners_known = true;
  auto after =
      apply_configuration(target.kind, write.existing.get(), *tree,
                          {context.field_manager, target.subresource}, context.force, now());
  if (!after) return std::unexpected(after.error());
  if (auto ok = check_duplicates(sent, context); !ok) return std::unexpected(ok.error());
  write.after = std::move(*after);
  if (auto ok = match_name(target, metadata_of(*write.after)); !ok) {
    return std::unexpected(ok.error());
  }
  auto answer = write.existing ? write_changed(std::move(write)) : write_new(std::move(write));
  if (!answer || !scales) return answer;
  auto shown = scale_of(*answer->object);
  if (!shown) return std::unexpected(shown.error());
  answer->object = std::move(*shown);
  return answer;
}

}  // namespace keelson

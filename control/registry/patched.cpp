// Patch, decode, and say what no field took.
#include "control/registry/patched.h"

#include <fmt/ranges.h>
#include <google/protobuf/message.h>

#include "api/patch.h"

namespace keelson {
namespace {

// As upstream: an error of the patch as a whole, of no kind and no name.
Error invalid_patch(std::string_view value, std::string_view why) {
  FieldErrors errors;
  errors.invalid(FieldPath("patch"), value, why);
  return errors.to_error("", "", "");
}

Result<json::value> apply_patch(const Kind& kind, const json::value& tree, PatchType type,
                                const json::value& patch) {
  switch (type) {
    case PatchType::Json:
      return json_patch(tree, patch);
    case PatchType::Merge:
      return merge_patch(tree, patch);
    default:
      return strategic_merge_patch(kind, tree, patch);
  }
}

bool names_kind(const json::object& tree, const Kind& kind) {
  const auto says = [&tree](std::string_view key, std::string_view value) {
    const json::value* at = tree.if_contains(key);
    return at && at->is_string() && at->get_string() == value;
  };
  return says("apiVersion", kind.api_version()) && says("kind", kind.kind);
}

}  // namespace

std::vector<std::string> leftovers(const std::vector<std::string>& duplicates,
                                   const std::vector<std::string>& unknown) {
  std::vector<std::string> texts;
  for (const auto& path : duplicates) texts.push_back(fmt::format("duplicate field \"{}\"", path));
  for (const auto& path : unknown) texts.push_back(fmt::format("unknown field \"{}\"", path));
  return texts;
}

Result<std::unique_ptr<Message>> patched(const Kind& kind, const Message& before, PatchType type,
                                         const Document& body, RequestContext& context) {
  auto tree = apply_patch(kind, object_to_json(kind, before), type, body.tree);
  if (!tree) return std::unexpected(tree.error());
  const json::object* object = tree->if_object();
  if (!object || !names_kind(*object, kind)) {
    return fail(Reason::BadRequest, "the result of the patch is not a {} of {}", kind.kind,
                kind.api_version());
  }
  auto message = kind.make_message();
  std::vector<std::string> unknown;
  if (auto ok = message_from_json(*object, *message, unknown); !ok) {
    return std::unexpected(invalid_patch(to_text(body.tree), ok.error().message));
  }
  std::vector<std::string> texts = leftovers(body.duplicates, unknown);
  if (texts.empty() || context.field_validation == FieldValidation::Ignore) return message;
  if (context.field_validation == FieldValidation::Strict) {
    return std::unexpected(invalid_patch(
        to_text(body.tree), fmt::format("strict decoding error: {}", fmt::join(texts, ", "))));
  }
  for (auto& text : texts) context.warnings.push_back(std::move(text));
  return message;
}

}  // namespace keelson

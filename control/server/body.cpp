// Decoding by content type, and what is said of what cannot be decoded.
#include "control/server/body.h"

#include <fmt/ranges.h>
#include <google/protobuf/message.h>

#include <array>
#include <optional>

#include "api/go_text.h"
#include "api/proto/meta/v1/options.pb.h"
#include "api/protobuf.h"
#include "control/registry/patched.h"

namespace keelson {
namespace {

enum class BodyForm { Json, Yaml, Protobuf };

std::string_view base_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

std::unexpected<Error> unsupported(std::string_view accepted) {
  return fail(Reason::UnsupportedMediaType,
              "the body of the request was in an unknown format - accepted media types include: {}",
              accepted);
}

Result<BodyForm> form_of(std::string_view content_type) {
  const std::string_view type = base_type(content_type);
  if (type.empty() || type == "application/json") return BodyForm::Json;
  if (type == "application/yaml") return BodyForm::Yaml;
  if (type == "application/vnd.kubernetes.protobuf") return BodyForm::Protobuf;
  return unsupported("application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

// What a body says it is; empty: it does not say.
struct TypeMeta {
  std::string_view api_version, kind;
};

std::string_view version_of(std::string_view api_version) {
  return api_version.substr(api_version.find('/') + 1);
}

std::unexpected<Error> cannot_handle(const TypeMeta& type, const Kind& kind, std::string_view why) {
  return fail(Reason::BadRequest, "{} in version {} cannot be handled as a {}: {}",
              type.kind.empty() ? kind.kind : type.kind,
              go_quote(type.api_version.empty() ? kind.version : version_of(type.api_version)),
              kind.kind, why);
}

std::unexpected<Error> unrecognized(const Kind& kind, std::string_view why, std::string_view body) {
  constexpr std::size_t shown_bytes = 30;
  return fail(Reason::BadRequest,
              "the object provided is unrecognized (must be of type {}): {} ({})", kind.kind, why,
              go_quote(body.substr(0, shown_bytes)));
}

Result<> check_type(const TypeMeta& type, const Kind& kind) {
  if (!type.kind.empty() && type.kind != kind.kind) {
    return cannot_handle(type, kind, fmt::format("the body is a {}", type.kind));
  }
  if (type.api_version.empty() || type.api_version == kind.api_version()) return {};
  return fail(Reason::BadRequest,
              "the API version in the data ({}) does not match the expected API version ({})",
              type.api_version, kind.api_version());
}

std::string_view text_at(const json::object& tree, std::string_view key) {
  const json::value* value = tree.if_contains(key);
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

Result<std::unique_ptr<Message>> from_tree(const Kind& kind, const Document& document,
                                           std::string_view body, RequestContext& context) {
  const json::object* tree = document.tree.if_object();
  if (!tree) return unrecognized(kind, "it is no object", body);
  const TypeMeta type{text_at(*tree, "apiVersion"), text_at(*tree, "kind")};
  if (auto ok = check_type(type, kind); !ok) return std::unexpected(ok.error());
  auto message = kind.make_message();
  std::vector<std::string> unknown;
  if (auto ok = message_from_json(*tree, *message, unknown); !ok) {
    return cannot_handle(type, kind, ok.error().message);
  }
  std::vector<std::string> texts = leftovers(document.duplicates, unknown);
  if (texts.empty() || context.field_validation == FieldValidation::Ignore) return message;
  if (context.field_validation == FieldValidation::Strict) {
    return cannot_handle(type, kind,
                         fmt::format("strict decoding error: {}", fmt::join(texts, ", ")));
  }
  for (std::string& text : texts) context.warnings.push_back(std::move(text));
  return message;
}

Result<std::unique_ptr<Message>> from_protobuf(const Kind& kind, std::string_view body) {
  auto envelope = from_envelope(body);
  if (!envelope) return unrecognized(kind, envelope.error().message, body);
  const TypeMeta type{envelope->api_version, envelope->kind};
  if (auto ok = check_type(type, kind); !ok) return std::unexpected(ok.error());
  auto message = kind.make_message();
  if (auto ok = message_from_protobuf(envelope->raw, *message); !ok) {
    return cannot_handle(type, kind, ok.error().message);
  }
  return message;
}

struct PatchMedia {
  std::string_view media_type;
  PatchType type;
};
constexpr std::array<PatchMedia, 4> patch_media = {{
    {"application/json-patch+json", PatchType::Json},
    {"application/merge-patch+json", PatchType::Merge},
    {"application/strategic-merge-patch+json", PatchType::StrategicMerge},
    {"application/apply-patch+yaml", PatchType::Apply},
}};

// A row that is only a body's. Any group's version may be written above DeleteOptions.
const Kind& delete_options_kind() {
  static const Kind kind{.group = "",
                         .version = "v1",
                         .kind = "DeleteOptions",
                         .plural = "deleteoptions",
                         .singular = "deleteoptions",
                         .prototype = &meta::DeleteOptions::default_instance(),
                         .verbs = {}};
  return kind;
}

Result<meta::DeleteOptions> parse_delete_options(BodyForm form, std::string_view body) {
  const Kind& kind = delete_options_kind();
  meta::DeleteOptions message;
  if (form == BodyForm::Protobuf) {
    auto envelope = from_envelope(body);
    if (!envelope) return unrecognized(kind, envelope.error().message, body);
    if (auto ok = message_from_protobuf(envelope->raw, message); !ok) {
      return cannot_handle({}, kind, ok.error().message);
    }
    return message;
  }
  auto document = form == BodyForm::Json ? parse_json(body) : parse_yaml(body);
  if (!document || !document->tree.is_object()) {
    return unrecognized(kind, document ? "it is no object" : document.error().message, body);
  }
  const json::object& tree = document->tree.get_object();
  const std::string_view said = text_at(tree, "kind");
  if (!said.empty() && said != kind.kind) {
    return cannot_handle({"", said}, kind, fmt::format("the body is a {}", said));
  }
  std::vector<std::string> unknown;  // passed over, as upstream does
  if (auto ok = message_from_json(tree, message, unknown); !ok) {
    return cannot_handle({}, kind, ok.error().message);
  }
  return message;
}

}  // namespace

Result<std::unique_ptr<Message>> read_object(const Kind& kind, std::string_view content_type,
                                             std::string_view body, RequestContext& context) {
  auto form = form_of(content_type);
  if (!form) return std::unexpected(form.error());
  if (*form == BodyForm::Protobuf) return from_protobuf(kind, body);
  auto document = *form == BodyForm::Json ? parse_json(body) : parse_yaml(body);
  if (!document) return unrecognized(kind, document.error().message, body);
  return from_tree(kind, *document, body, context);
}

Result<PatchBody> read_patch(std::string_view content_type, std::string_view body) {
  const std::string_view type = base_type(content_type);
  for (const PatchMedia& media : patch_media) {
    if (media.media_type != type) continue;
    const bool is_apply = media.type == PatchType::Apply;
    auto document = is_apply ? parse_yaml(body) : parse_json(body);
    if (document) return PatchBody{media.type, std::move(*document)};
    return fail(Reason::BadRequest, "error decoding {}: {}", is_apply ? "YAML" : "patch",
                document.error().message);
  }
  return unsupported(
      "application/json-patch+json, application/merge-patch+json, "
      "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

Result<DeleteBody> read_delete_options(std::string_view content_type, std::string_view body) {
  if (body.empty()) return DeleteBody{};
  auto form = form_of(content_type);
  if (!form) return std::unexpected(form.error());
  auto message = parse_delete_options(*form, body);
  if (!message) return std::unexpected(message.error());
  DeleteBody read;
  if (message->has_graceperiodseconds()) {
    read.options.grace_period_seconds = message->graceperiodseconds();
  }
  read.options.propagation_policy = message->propagationpolicy();
  if (message->has_orphandependents() && !message->has_propagationpolicy()) {
    read.options.propagation_policy = message->orphandependents() ? "Orphan" : "Background";
  }
  read.options.uid = message->preconditions().uid();
  read.options.resource_version = message->preconditions().resourceversion();
  read.dry_run.assign(message->dryrun().begin(), message->dryrun().end());
  return read;
}

}  // namespace keelson

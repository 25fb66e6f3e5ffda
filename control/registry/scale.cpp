// By reflection, so that a kind with replicas needs no code for it.
#include "control/registry/scale.h"

#include "api/proto/autoscaling/v1.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "api/selector.h"
#include "control/registry/errors.h"
#include "control/registry/patched.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

using google::protobuf::FieldDescriptor;

const FieldDescriptor* field_of(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

// A message inside another; null if the schema has none of the name.
const Message* part(const Message& message, const char* name) {
  const FieldDescriptor* field = field_of(message, name);
  return field ? &message.GetReflection()->GetMessage(message, field) : nullptr;
}

std::int32_t number_in(const Message* message, const char* name) {
  const FieldDescriptor* field = message ? field_of(*message, name) : nullptr;
  return field ? message->GetReflection()->GetInt32(*message, field) : 0;
}

// spec.selector as text. A LabelSelector for most; the oldest kinds have a plain map.
Result<std::string> selector_text(const Message* spec) {
  const FieldDescriptor* field = spec ? field_of(*spec, "selector") : nullptr;
  if (!field) return std::string();
  if (!field->is_map()) {
    const Message& message = spec->GetReflection()->GetMessage(*spec, field);
    auto selector = LabelSelector::from(static_cast<const meta::LabelSelector&>(message));
    if (!selector) return std::unexpected(selector.error());
    return selector->text();
  }
  std::vector<Labels::Entry> entries;
  const auto& reflection = *spec->GetReflection();
  for (int i = 0; i < reflection.FieldSize(*spec, field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(*spec, field, i);
    const auto& map = *entry.GetReflection();
    entries.emplace_back(map.GetString(entry, entry.GetDescriptor()->map_key()),
                         map.GetString(entry, entry.GetDescriptor()->map_value()));
  }
  return LabelSelector::from_map(Labels(std::move(entries))).text();
}

}  // namespace

Result<ObjectPtr> scale_of(const Object& object) {
  const auto message = object.kind->make_message();
  decode_into(object, *message);
  const Message* spec = part(*message, "spec");
  const Message* status = part(*message, "status");
  auto selector = selector_text(spec);
  if (!selector) return std::unexpected(selector.error());

  autoscaling::Scale scale;
  const meta::ObjectMeta& metadata = metadata_of(*message);
  meta::ObjectMeta& shown = *scale.mutable_metadata();
  shown.set_name(metadata.name());
  shown.set_namespace_(metadata.namespace_());
  shown.set_uid(metadata.uid());
  shown.set_resourceversion(metadata.resourceversion());
  *shown.mutable_creationtimestamp() = metadata.creationtimestamp();
  scale.mutable_spec()->set_replicas(number_in(spec, "replicas"));
  scale.mutable_status()->set_replicas(number_in(status, "replicas"));
  if (!selector->empty()) scale.mutable_status()->set_selector(*selector);
  return make_object(body_kind(*object.kind, "scale"), scale);
}

Result<> check_scale(const Message& message) {
  const auto& scale = static_cast<const autoscaling::Scale&>(message);
  if (scale.spec().replicas() >= 0) return {};
  FieldErrors errors;
  errors.invalid_number(FieldPath("spec") / "replicas", scale.spec().replicas(),
                        "must be greater than or equal to 0");
  return std::unexpected(errors.to_error("autoscaling", "Scale", scale.metadata().name()));
}

void set_replicas(Message& message, const Message& scale) {
  Message& spec = *message.GetReflection()->MutableMessage(&message, field_of(message, "spec"));
  spec.GetReflection()->SetInt32(&spec, field_of(spec, "replicas"),
                                 static_cast<const autoscaling::Scale&>(scale).spec().replicas());
}

// The Scale's own resourceVersion and uid are locks on the object behind it.
Result<Answer> Registry::update_scale(const Target& target, const Message& scale,
                                      RequestContext& context) {
  if (auto ok = check_scale(scale); !ok) return std::unexpected(ok.error());
  auto write = begin(target, context);
  if (!write) return std::unexpected(write.error());
  write->after = target.kind.make_message();
  write->after->CopyFrom(*write->before);
  set_replicas(*write->after, scale);
  meta::ObjectMeta& metadata = mutable_metadata_of(*write->after);
  metadata.set_resourceversion(metadata_of(scale).resourceversion());
  if (!metadata_of(scale).uid().empty()) metadata.set_uid(metadata_of(scale).uid());
  if (auto ok = check_uid(*write); !ok) return std::unexpected(ok.error());
  auto answer = write_changed(std::move(*write));
  if (!answer) return answer;
  auto shown = scale_of(*answer->object);
  if (!shown) return std::unexpected(shown.error());
  answer->object = std::move(*shown);
  return answer;
}

Result<Answer> Registry::patch_scale(const Target& target, PatchType type, const Document& body,
                                     RequestContext& context) {
  const ObjectPtr object = view().get(target.kind, target.name_space, target.name);
  if (!object) return not_found(target.kind, target.name);
  auto shown = scale_of(*object);
  if (!shown) return std::unexpected(shown.error());
  const Kind& kind = *(*shown)->kind;
  const auto before = kind.make_message();
  decode_into(**shown, *before);
  auto scale = patched(kind, *before, type, body, context);
  if (!scale) return std::unexpected(scale.error());
  return update_scale(target, **scale, context);
}

}  // namespace keelson

// Objects from messages and back.
#include "api/object.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "api/kinds.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "api/protobuf.h"

namespace keelson {
namespace {

// Every kind's metadata is its first field.
const google::protobuf::FieldDescriptor& metadata_field(const Message& message) {
  const auto* field = message.GetDescriptor()->FindFieldByNumber(1);
  assert(field && field->message_type() == meta::ObjectMeta::descriptor());
  return *field;
}

Labels labels_of(const google::protobuf::Map<std::string, std::string>& map) {
  return Labels({map.begin(), map.end()});
}

Revision revision_of(const std::string& resource_version) {
  Revision revision = 0;
  std::from_chars(resource_version.data(), resource_version.data() + resource_version.size(),
                  revision);
  return revision;
}

std::vector<OwnerReference> owners_of(const meta::ObjectMeta& metadata) {
  std::vector<OwnerReference> owners;
  for (const auto& owner : metadata.ownerreferences()) {
    owners.push_back({.api_version = owner.apiversion(),
                      .kind = owner.kind(),
                      .name = owner.name(),
                      .uid = owner.uid(),
                      .controller = owner.controller(),
                      .block_owner_deletion = owner.blockownerdeletion()});
  }
  return owners;
}

std::shared_ptr<Object> extract(const Kind& kind, const Message& message) {
  const meta::ObjectMeta& metadata = metadata_of(message);
  auto object = std::make_shared<Object>();
  object->kind = &kind;
  object->name_space = metadata.namespace_();
  object->name = metadata.name();
  object->uid = metadata.uid();
  object->resource_version = revision_of(metadata.resourceversion());
  object->generation = metadata.generation();
  object->labels = labels_of(metadata.labels());
  object->owners = owners_of(metadata);
  object->finalizers.assign(metadata.finalizers().begin(), metadata.finalizers().end());
  object->creation_time = from_time(metadata.creationtimestamp());
  if (metadata.has_deletiontimestamp()) {
    object->deletion_time = from_time(metadata.deletiontimestamp());
  }
  for (const SelectableField& field : kind.selectable_fields) {
    object->fields.push_back(field.value(message));
  }
  if (kind.facts) object->facts = kind.facts(message);
  return object;
}

}  // namespace

Labels::Labels(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::ranges::sort(entries_);
}

const std::string* Labels::find(std::string_view key) const {
  auto at = std::ranges::lower_bound(entries_, key, {}, &Entry::first);
  return at != entries_.end() && at->first == key ? &at->second : nullptr;
}

const OwnerReference* Object::controller() const {
  auto at = std::ranges::find(owners, true, &OwnerReference::controller);
  return at == owners.end() ? nullptr : &*at;
}

std::string key_of(std::string_view name_space, std::string_view name) {
  std::string key(name_space);
  if (!key.empty()) key += '/';
  return key += name;
}

std::string key_of(const Object& object) {
  return key_of(object.name_space, object.name);
}

std::pair<std::string_view, std::string_view> split_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return {{}, key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

ObjectPtr make_object(const Kind& kind, const Message& message) {
  auto object = extract(kind, message);
  object->bytes = canonical_bytes(message);
  return object;
}

Result<ObjectPtr> parse_object(const Kind& kind, std::string bytes) {
  auto message = kind.make_message();
  auto canonical = message_from_protobuf(bytes, *message);
  if (!canonical) return canonical.error().during("{}", kind.kind);
  auto object = extract(kind, *message);
  object->bytes = std::move(*canonical);
  return object;
}

void decode_into(const Object& object, Message& message) {
  const bool parsed = message.ParseFromString(object.bytes);
  assert(parsed);
  (void)parsed;
}

const meta::ObjectMeta& metadata_of(const Message& message) {
  return static_cast<const meta::ObjectMeta&>(
      message.GetReflection()->GetMessage(message, &metadata_field(message)));
}

meta::ObjectMeta& mutable_metadata_of(Message& message) {
  return static_cast<meta::ObjectMeta&>(
      *message.GetReflection()->MutableMessage(&message, &metadata_field(message)));
}

WallTime from_time(const meta::Time& time) {
  // A WallTime reaches from 1677 to 2262.
  constexpr std::int64_t seconds_max = 9'223'372'036;
  return WallTime(std::chrono::seconds(std::clamp(time.seconds(), -seconds_max, seconds_max)));
}

void set_time(meta::Time& time, WallTime at) {
  time.set_seconds(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  time.clear_nanos();
}

}  // namespace keelson

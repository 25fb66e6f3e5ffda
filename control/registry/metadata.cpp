// Rules of upstream's rest.BeforeCreate and rest.BeforeUpdate.
#include "control/registry/metadata.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace keelson {
namespace {

// Map entries in one order, so that equal messages give equal bytes.
std::string serialize(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

Result<> match_namespace(const Target& target, meta::ObjectMeta& metadata) {
  if (metadata.namespace_() == target.name_space) return {};
  if (!metadata.namespace_().empty() && !target.name_space.empty()) {
    return fail(Reason::BadRequest,
                "the namespace of the provided object does not match the namespace sent on the "
                "request");
  }
  if (target.name_space.empty()) {
    metadata.clear_namespace_();
  } else {
    metadata.set_namespace_(target.name_space);
  }
  return {};
}

Result<> match_name(const Target& target, const meta::ObjectMeta& metadata) {
  if (metadata.name() == target.name) return {};
  if (metadata.name().empty()) {
    return fail(Reason::BadRequest,
                "the name of the object ({} based on URL) was undeterminable: name must be "
                "provided",
                target.name);
  }
  return fail(Reason::BadRequest,
              "the name of the object ({}) does not match the name on the URL ({})",
              metadata.name(), target.name);
}

void begin_metadata(const Kind& kind, meta::ObjectMeta& metadata, Random& random, WallTime now) {
  metadata.set_uid(random_uid(random));
  set_time(*metadata.mutable_creationtimestamp(), now);
  metadata.clear_selflink();
  metadata.clear_deletiontimestamp();
  metadata.clear_deletiongraceperiodseconds();
  metadata.clear_generation();
  if (kind.has_generation) metadata.set_generation(1);
}

void carry_metadata(const meta::ObjectMeta& before, meta::ObjectMeta& after) {
  after.clear_selflink();
  after.clear_generation();
  if (before.has_generation()) after.set_generation(before.generation());
  if (after.uid().empty()) after.set_uid(before.uid());
  *after.mutable_creationtimestamp() = before.creationtimestamp();
  if (before.has_deletiontimestamp()) {
    *after.mutable_deletiontimestamp() = before.deletiontimestamp();
  }
  if (before.has_deletiongraceperiodseconds() && !after.has_deletiongraceperiodseconds()) {
    after.set_deletiongraceperiodseconds(before.deletiongraceperiodseconds());
  }
}

bool spec_changed(const Message& before, const Message& after) {
  const auto* field = before.GetDescriptor()->FindFieldByName("spec");
  if (!field || field->is_repeated()) return false;
  const auto& reflection = *before.GetReflection();
  if (reflection.HasField(before, field) != reflection.HasField(after, field)) return true;
  const Message& old_spec = reflection.GetMessage(before, field);
  const Message& new_spec = reflection.GetMessage(after, field);
  if (old_spec.ByteSizeLong() != new_spec.ByteSizeLong()) return true;
  return serialize(old_spec) != serialize(new_spec);
}

}  // namespace keelson

// What every write but apply does to metadata.managedFields.
#include "api/apply.h"
#include "api/kinds.h"
#include "api/managed_fields.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"

namespace keelson {
namespace {

// The entries that the request starts from: its own, if it may have some and they are of their
// form; else those that are there, for many clients drop what they do not know.
ManagedFields start_from(const Kind& kind, std::string_view before, std::string_view asked,
                         TextPool& pool) {
  if (!asked.empty() && asked != before) {
    auto wished = ManagedFields::read(kind, asked);
    if (wished && wished->load(pool)) {
      for (ManagedEntry& entry : wished->entries()) entry.is_edited = true;
      if (!wished->empty()) return std::move(*wished);
    }
  }
  auto known = ManagedFields::read(kind, before);
  return known ? std::move(*known) : ManagedFields();
}

}  // namespace

void track_update(const Kind& kind, const Object* before, Message& after,
                  const FieldManager& manager, WallTime now) {
  TextPool pool;
  const std::string bytes = ordered_bytes(after);
  const std::string_view old_bytes = before ? std::string_view(before->bytes) : std::string_view();
  const std::string_view asked =
      manager.subresource.empty() ? managed_fields_bytes(bytes) : std::string_view();
  meta::ObjectMeta& metadata = mutable_metadata_of(after);

  ManagedFields managed;
  if (!asks_to_clear(asked)) {
    managed = start_from(kind, managed_fields_bytes(old_bytes), asked, pool);
  }
  if (before && managed.empty()) {  // nobody is tracked, and so it stays until somebody applies
    metadata.clear_managedfields();
    return;
  }
  const FieldChanges changes = changes_between(kind, old_bytes, bytes, manager.subresource, pool);
  const std::string api_version = kind.api_version();
  const ManagedEntry owner{
      .manager = name_of(manager), .api_version = api_version, .subresource = manager.subresource};
  if (!changes.empty() && managed.load(pool)) {
    managed.take(changes, owner,
                 std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  }
  managed.write(metadata);
}

}  // namespace keelson

// metadata.managedFields: who owns which field, one entry a manager.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/apply.h"
#include "api/field_changes.h"

namespace keelson {

// Its texts point into the bytes it was read from, or to those it was made of.
struct ManagedEntry {
  std::string_view manager;
  std::string_view api_version;
  std::string_view subresource;
  bool applied = false;              // operation Apply; else Update
  std::optional<std::int64_t> time;  // seconds of the epoch
  std::string_view fields_v1;        // as read; stands unless the fields are edited
  FieldSet fields;                   // once loaded
  bool is_loaded = false;
  bool is_edited = false;

  // Two entries of one identity are one. An applier may change its version and stay the same; an
  // updater has an entry for each.
  bool is(const ManagedEntry& other) const;
  Result<> load(TextPool& pool);  // parses fields_v1; BadRequest
  void set(FieldSet set);
};

std::string_view name_of(const FieldManager& manager);  // "unknown" if it has none

class ManagedFields {
 public:
  // `run`: see managed_fields_bytes. Entries of versions that this kind does not have are left out.
  // BadRequest: an entry is not of its form (the fields themselves are not looked at).
  static Result<ManagedFields> read(const Kind& kind, std::string_view run);
  Result<> load(TextPool& pool);           // every entry's fields
  void write(meta::ObjectMeta& metadata);  // sorted; without what owns nothing

  bool empty() const { return entries_.empty(); }
  std::vector<ManagedEntry>& entries() { return entries_; }
  ManagedEntry* find(const ManagedEntry& identity);  // null if absent
  ManagedEntry& add(ManagedEntry entry);             // instead of one of the same identity

  // After an update: what changed is the owner's alone, and what was removed is nobody's. Loaded.
  void take(const FieldChanges& changes, const ManagedEntry& owner, std::int64_t now);

 private:
  void merge_oldest();
  std::vector<ManagedEntry> entries_;
};

// The entries in an object's canonical bytes; empty: it has none.
std::string_view managed_fields_bytes(std::string_view object_bytes);
// The request asks to clear them: [{}].
bool asks_to_clear(std::string_view run);

}  // namespace keelson

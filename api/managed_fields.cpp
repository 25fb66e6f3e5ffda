// Entries as they stand in an object's bytes, and what an update makes of them.
#include "api/managed_fields.h"

#include <algorithm>
#include <tuple>

#include "api/kinds.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "api/wire.h"

namespace keelson {
namespace {

// Upstream keeps so many entries of operation Update; of more, the oldest become one.
constexpr std::size_t update_entries_max = 10;
constexpr std::string_view merged_manager = "ancient-changes";

// A kind of several versions converts its objects to that of each entry, for fields have other
// names there. Ours have one version each: what is not of it was written by one that is no longer
// served, and upstream drops that too.
bool is_served(const Kind& kind, std::string_view api_version) {
  return api_version == kind.api_version();
}

Result<ManagedEntry> read_entry(std::string_view bytes) {
  using Entry = meta::ManagedFieldsEntry;
  const auto field = [&](int number) {
    return first_field(bytes, static_cast<std::uint32_t>(number));
  };
  ManagedEntry entry;
  entry.manager = field(Entry::kManagerFieldNumber).bytes;
  entry.api_version = field(Entry::kApiVersionFieldNumber).bytes;
  entry.subresource = field(Entry::kSubresourceFieldNumber).bytes;
  entry.fields_v1 = first_field(field(Entry::kFieldsV1FieldNumber).bytes, 1).bytes;
  if (const WireField time = field(Entry::kTimeFieldNumber); time.number != 0) {
    entry.time = static_cast<std::int64_t>(first_field(time.bytes, 1).value);
  }
  const std::string_view operation = field(Entry::kOperationFieldNumber).bytes;
  entry.applied = operation == "Apply";
  if (!entry.applied && operation != "Update") {
    return fail(Reason::BadRequest, "operation must be `Apply` or `Update`");
  }
  if (entry.api_version.empty()) return fail(Reason::BadRequest, "apiVersion must not be empty");
  if (field(Entry::kFieldsTypeFieldNumber).bytes != "FieldsV1") {
    return fail(Reason::BadRequest, "fieldsType must be `FieldsV1`");
  }
  return entry;
}

auto order_of(const ManagedEntry& entry) {
  return std::tuple(!entry.applied, entry.time.value_or(0), entry.manager, entry.api_version,
                    entry.subresource);
}

}  // namespace

bool ManagedEntry::is(const ManagedEntry& other) const {
  return manager == other.manager && applied == other.applied && subresource == other.subresource &&
         (applied || api_version == other.api_version);
}

Result<> ManagedEntry::load(TextPool& pool) {
  if (is_loaded) return {};
  auto parsed = FieldSet::parse(fields_v1.empty() ? "{}" : fields_v1, pool);
  if (!parsed) return std::unexpected(parsed.error());
  fields = std::move(*parsed);
  is_loaded = true;
  return {};
}

void ManagedEntry::set(FieldSet set) {
  fields = std::move(set);
  is_loaded = is_edited = true;
}

std::string_view name_of(const FieldManager& manager) {
  return manager.name.empty() ? std::string_view("unknown") : std::string_view(manager.name);
}

Result<ManagedFields> ManagedFields::read(const Kind& kind, std::string_view run) {
  ManagedFields managed;
  WireReader reader(run);
  for (WireField field; reader.next(field);) {
    auto entry = read_entry(field.bytes);
    if (!entry) return std::unexpected(entry.error());
    if (is_served(kind, entry->api_version)) managed.add(std::move(*entry));
  }
  return managed;
}

Result<> ManagedFields::load(TextPool& pool) {
  for (ManagedEntry& entry : entries_) {
    if (auto ok = entry.load(pool); !ok) return ok;
  }
  return {};
}

ManagedEntry* ManagedFields::find(const ManagedEntry& identity) {
  auto at = std::ranges::find_if(entries_, [&](const auto& entry) { return entry.is(identity); });
  return at == entries_.end() ? nullptr : &*at;
}

ManagedEntry& ManagedFields::add(ManagedEntry entry) {
  if (ManagedEntry* known = find(entry)) return *known = std::move(entry);
  return entries_.emplace_back(std::move(entry));
}

void ManagedFields::take(const FieldChanges& changes, const ManagedEntry& owner, std::int64_t now) {
  ManagedEntry* own = find(owner);
  if (!own && !changes.changed.empty()) {
    own = &add(owner);
    own->set({});
  }
  for (ManagedEntry& entry : entries_) {
    const bool is_own = &entry == own;
    if (intersects(entry.fields, changes.removed)) {
      entry.set(subtract(entry.fields, changes.removed));
    }
    if (!is_own && intersects(entry.fields, changes.changed)) {
      entry.set(subtract(entry.fields, changes.changed));
    }
    if (is_own && !changes.changed.empty()) {
      entry.time = now;
      if (!includes(entry.fields, changes.changed)) {
        entry.set(unite(entry.fields, changes.changed));
      }
    }
  }
  merge_oldest();
}

void ManagedFields::merge_oldest() {
  std::erase_if(entries_, [](const ManagedEntry& entry) { return entry.fields.empty(); });
  auto is_update = [](const ManagedEntry& entry) { return !entry.applied; };
  auto updates = static_cast<std::size_t>(std::ranges::count_if(entries_, is_update));
  if (updates <= update_entries_max) return;

  std::ranges::sort(entries_, {}, order_of);  // appliers, then updaters from the oldest
  const auto oldest = std::ranges::find_if(entries_, is_update);
  ManagedEntry merged{.manager = merged_manager, .api_version = oldest->api_version};
  auto end = oldest;
  for (; updates >= update_entries_max; ++end, --updates) {
    merged.time = end->time;
    merged.set(unite(merged.fields, end->fields));
  }
  entries_.erase(oldest, end);
  add(std::move(merged));
}

void ManagedFields::write(meta::ObjectMeta& metadata) {
  std::ranges::sort(entries_, {}, order_of);
  google::protobuf::RepeatedPtrField<meta::ManagedFieldsEntry> written;
  for (const ManagedEntry& entry : entries_) {
    if (entry.is_edited && entry.fields.empty()) continue;
    meta::ManagedFieldsEntry& message = *written.Add();
    message.set_manager(entry.manager.data(), entry.manager.size());
    message.set_operation(entry.applied ? "Apply" : "Update");
    message.set_apiversion(entry.api_version.data(), entry.api_version.size());
    if (entry.time) message.mutable_time()->set_seconds(*entry.time);
    message.set_fieldstype("FieldsV1");
    std::string& text = *message.mutable_fieldsv1()->mutable_raw();
    text = entry.is_edited ? entry.fields.to_fields_v1() : std::string(entry.fields_v1);
    if (!entry.subresource.empty()) {
      message.set_subresource(entry.subresource.data(), entry.subresource.size());
    }
  }
  metadata.mutable_managedfields()->Swap(&written);
}

std::string_view managed_fields_bytes(std::string_view object_bytes) {
  WireReader reader(first_field(object_bytes, 1).bytes);
  const char* begin = reader.at();
  const char* first = nullptr;
  for (WireField field; reader.next(field); begin = reader.at()) {
    if (field.number == meta::ObjectMeta::kManagedFieldsFieldNumber && !first) first = begin;
    if (field.number > meta::ObjectMeta::kManagedFieldsFieldNumber) break;
  }
  if (!first) return {};
  return {first, static_cast<std::size_t>(begin - first)};
}

bool asks_to_clear(std::string_view run) {
  WireReader reader(run);
  WireField only, another;
  return reader.next(only) && only.bytes.empty() && !reader.next(another);
}

}  // namespace keelson

// Server-side apply: a configuration put into the live object, as the fields' owners allow.
#include "api/apply.h"

#include <fmt/ranges.h>

#include "api/apply_conflicts.h"
#include "api/apply_tree.h"
#include "api/kinds.h"
#include "api/last_applied.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"

namespace keelson {
namespace {

using Node = FieldSet::Node;

std::string_view text_at(const json::object* object, std::string_view key) {
  const json::value* value = object ? object->if_contains(key) : nullptr;
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

// "apps/v1, Kind=Deployment", "/v1, Kind=Pod"
std::string type_text(std::string_view api_version, std::string_view kind) {
  return fmt::format("{}{}, Kind={}", api_version.contains('/') ? "" : "/", api_version, kind);
}

// One apply. Sets point into the configuration, the object's bytes and the members.
class Application {
 public:
  Application(const Kind& kind, const Object* before, const json::object& configuration,
              const FieldManager& manager, WallTime now)
      : kind_(kind),
        before_(before),
        configuration_(configuration),
        manager_(manager),
        type_(TreeType::root(schema_of(*kind.prototype))),
        api_version_(kind.api_version()),
        now_(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()) {}
  Result<std::unique_ptr<Message>> run(bool force);

 private:
  Result<> check();
  Result<> read_live();
  FieldSet applied_fields();
  json::value merge(const FieldSet& applied_before);
  json::value without_dropped(const json::value& merged, const FieldSet& applied_before);
  Result<> take(const FieldChanges& changes, bool force);
  FieldSet fields_of(const json::value& tree) {
    return with_named_fields(type_, field_set_of(type_, tree, pool_));
  }
  std::string_view old_bytes() const {
    return before_ ? std::string_view(before_->bytes) : std::string_view();
  }

  const Kind& kind_;
  const Object* before_;
  const json::value configuration_;
  const FieldManager& manager_;
  const TreeType type_;
  const std::string api_version_;
  const std::int64_t now_;
  TextPool pool_;
  json::value live_ = json::object();
  json::value last_applied_;
  ManagedFields managed_;
  ManagedEntry own_;
};

Result<> Application::check() {
  const std::string_view version = text_at(&configuration_.get_object(), "apiVersion");
  const std::string_view kind = text_at(&configuration_.get_object(), "kind");
  if (version != api_version_ || kind != kind_.kind) {
    return fail(Reason::BadRequest, "invalid object type: {}", type_text(version, kind));
  }
  const json::object* metadata = object_at(configuration_.get_object(), "metadata");
  const json::value* managed = metadata ? metadata->if_contains("managedFields") : nullptr;
  if (managed && managed->is_array()) {
    return fail(Reason::BadRequest, "metadata.managedFields must be nil");
  }
  const std::vector<std::string> wrong = check_tree(type_, configuration_, pool_);
  if (wrong.empty()) return {};
  return fail(Reason::Unknown, "failed to create typed patch object ({}/{}; {}): {}{}",
              text_at(metadata, "namespace"), text_at(metadata, "name"), type_text(version, kind),
              wrong.size() == 1 ? "" : "errors:\n  ", fmt::join(wrong, "\n  "));
}

Result<> Application::read_live() {
  if (!before_) return {};
  auto message = kind_.make_message();
  decode_into(*before_, *message);
  mutable_metadata_of(*message).clear_managedfields();
  live_ = object_to_json(kind_, *message);
  last_applied_ = last_applied_of(kind_, *message);
  auto managed = ManagedFields::read(kind_, managed_fields_bytes(before_->bytes));
  if (!managed) return managed.error().during("failed to decode managed fields");
  managed_ = std::move(*managed);
  if (auto ok = managed_.load(pool_); !ok) {
    return ok.error().during("failed to decode managed fields");
  }
  if (!managed_.empty()) return {};
  // What was there before anybody applied gets an owner too, so that it is not taken unawares.
  managed_.take(changes_between(kind_, "", before_->bytes, manager_.subresource, pool_),
                {.manager = "before-first-apply",
                 .api_version = api_version_,
                 .subresource = manager_.subresource},
                now_);
  return {};
}

// What the configuration asks for, but for what cannot be written here.
FieldSet Application::applied_fields() {
  const FieldSet all = field_set_of(type_, configuration_, pool_);
  FieldSetBuilder written(all.nodes().size());
  const Node* end = all.nodes().data() + all.nodes().size();
  for (const Node* root = all.nodes().data(); root != end; root += root->size) {
    if (!is_reset(kind_, manager_.subresource, root->element.text)) written.copy(root);
  }
  return written.take();
}

// Without what nobody owns.
FieldSet without_server_fields(const FieldSet& all) {
  FieldSetBuilder owned(all.nodes().size());
  const Node* end = all.nodes().data() + all.nodes().size();
  for (const Node* root = all.nodes().data(); root != end; root += root->size) {
    const std::string_view name = root->element.text;
    if (name == "apiVersion" || name == "kind") continue;
    if (name != "metadata") {
      owned.copy(root);
      continue;
    }
    owned.open(root->element);
    for (const Node* child = root + 1; child != root + root->size; child += child->size) {
      if (!is_server_metadata(child->element.text)) owned.copy(child);
    }
    owned.close();
  }
  return owned.take();
}

// Takes out what this manager applied before and left out now, unless somebody else owns it. What
// stands inside of something that stays, stays.
json::value Application::without_dropped(const json::value& merged,
                                         const FieldSet& applied_before) {
  const FieldSet before = with_named_fields(type_, applied_before);
  const FieldSet all = fields_of(merged);
  FieldSet owned;
  for (const ManagedEntry& entry : managed_.entries()) owned = unite(owned, entry.fields);

  const json::value pruned = remove_fields(type_, merged, before, pool_);
  const FieldSet kept = unite(fields_of(pruned), with_named_fields(type_, owned));
  const json::value owned_only = remove_fields(type_, merged, subtract(all, kept), pool_);
  const FieldSet gone = intersect(subtract(all, fields_of(owned_only)), before);
  return remove_fields(type_, merged, gone, pool_);
}

json::value Application::merge(const FieldSet& applied_before) {
  json::value merged = merge_trees(type_, live_, configuration_, pool_);
  if (includes(own_.fields, applied_before)) return merged;
  return without_dropped(merged, applied_before);
}

// From the others: what changed and what is gone.
Result<> Application::take(const FieldChanges& changes, bool force) {
  auto conflicts = conflicts_with(managed_.entries(), own_, changes.changed);
  if (!force && !conflicts.empty() && manager_.name == kubectl_manager) {
    conflicts =
        without(std::move(conflicts), still_as_applied(kind_, last_applied_, old_bytes(), pool_));
  }
  if (!force && !conflicts.empty()) return std::unexpected(conflict_error(conflicts));
  for (ManagedEntry& entry : managed_.entries()) {
    if (entry.is(own_)) continue;
    for (const FieldSet* gone : {&changes.changed, &changes.removed}) {
      if (intersects(entry.fields, *gone)) entry.set(subtract(entry.fields, *gone));
    }
  }
  return {};
}

Result<std::unique_ptr<Message>> Application::run(bool force) {
  if (auto ok = check(); !ok) return std::unexpected(ok.error());
  if (auto ok = read_live(); !ok) return std::unexpected(ok.error());

  own_ = {.manager = name_of(manager_),
          .api_version = api_version_,
          .subresource = manager_.subresource,
          .applied = true,
          .time = now_};
  const ManagedEntry* known = managed_.find(own_);
  const ManagedEntry applied_before = known ? *known : ManagedEntry{};
  own_.set(applied_fields());
  managed_.add(own_);
  const json::value merged = merge(applied_before.fields);
  own_.set(without_server_fields(own_.fields));
  managed_.add(own_);

  auto message = kind_.make_message();
  std::vector<std::string> unknown;  // none: the configuration has been checked
  if (auto ok = message_from_json(merged.get_object(), *message, unknown); !ok) {
    return std::unexpected(ok.error());
  }
  const std::string bytes = ordered_bytes(*message);
  const FieldChanges changes =
      changes_between(kind_, old_bytes(), bytes, manager_.subresource, pool_);
  if (auto ok = take(changes, force); !ok) return std::unexpected(ok.error());
  if (changes.empty() && applied_before.fields == own_.fields) {
    managed_.find(own_)->time = applied_before.time;
  }
  managed_.write(mutable_metadata_of(*message));
  if (manager_.name == kubectl_manager) keep_as_last_applied(configuration_.get_object(), *message);
  return message;
}

}  // namespace

Result<std::unique_ptr<Message>> apply_configuration(const Kind& kind, const Object* before,
                                                     const json::object& configuration,
                                                     const FieldManager& manager, bool force,
                                                     WallTime now) {
  return Application(kind, before, configuration, manager, now).run(force);
}

}  // namespace keelson

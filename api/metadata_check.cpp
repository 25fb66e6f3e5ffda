// Checks of metadata, labels and label selectors: declared in names.h, whose rules they apply.
#include <algorithm>
#include <set>

#include "api/go_syntax.h"
#include "api/go_text.h"
#include "api/json.h"
#include "api/names.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "api/time_text.h"
#include "base/limits.h"

namespace keelson {
namespace {

constexpr std::string_view immutable = "field is immutable";
constexpr std::size_t manager_max = 128;      // of a field manager's name
constexpr std::size_t subresource_max = 256;  // of a managedFields entry

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return lowered;
}

Check name_check(NameRule rule) {
  switch (rule) {
    case NameRule::DnsLabel:
      return check_dns_label;
    case NameRule::Dns1035Label:
      return check_dns1035_label;
    case NameRule::PathSegment:
      return check_path_segment;
    case NameRule::DnsSubdomain:
      break;
  }
  return check_dns_subdomain;
}

void check_name(const Kind& kind, const meta::ObjectMeta& metadata, const FieldPath& path,
                FieldErrors& errors) {
  const Check check = name_check(kind.name_rule);
  if (std::string prefix = metadata.generatename(); !prefix.empty()) {
    // What follows it is a letter or a digit.
    if (prefix.size() > 1 && prefix.ends_with('-')) prefix.back() = 'a';
    for (const auto& text : check(prefix)) {
      errors.invalid(path / "generateName", metadata.generatename(), text);
    }
  }
  if (metadata.name().empty()) {
    errors.required(path / "name", "name or generateName is required");
  } else {
    check_value(path / "name", metadata.name(), check, errors);
  }
  if (!kind.namespaced()) {
    if (!metadata.namespace_().empty()) {
      errors.forbidden(path / "namespace", "not allowed on this type");
    }
  } else if (metadata.namespace_().empty()) {
    errors.required(path / "namespace");
  } else {
    check_value(path / "namespace", metadata.namespace_(), check_dns_label, errors);
  }
}

void check_owner(const FieldPath& path, const meta::OwnerReference& owner, FieldErrors& errors) {
  const std::string& api_version = owner.apiversion();
  if (api_version.empty()) {
    errors.required(path / "apiVersion", "must not be empty");
  } else if (std::ranges::count(api_version, '/') > 1 || api_version.ends_with('/')) {
    errors.invalid(path / "apiVersion", api_version, "must be <group>/<version> or <version>");
  }
  if (owner.kind().empty()) errors.required(path / "kind", "must not be empty");
  if (owner.name().empty()) errors.required(path / "name", "must not be empty");
  if (owner.uid().empty()) errors.required(path / "uid", "must not be empty");
  if (api_version == "v1" && owner.kind() == "Event") {
    errors.invalid_raw(path, message_to_json_text(owner),
                       "/v1, Kind=Event is disallowed from being an owner");
  }
}

void check_owners(const FieldPath& path, const meta::ObjectMeta& metadata, FieldErrors& errors) {
  std::string controller;
  for (int i = 0; i < metadata.ownerreferences_size(); ++i) {
    const auto& owner = metadata.ownerreferences(i);
    check_owner(path[static_cast<std::size_t>(i)], owner, errors);
    if (!owner.controller()) continue;
    const std::string name = owner.kind() + "/" + owner.name();
    if (controller.empty()) {
      controller = name;
      continue;
    }
    errors.invalid_raw(path, message_to_json_text(owner),
                       fmt::format("Only one reference can have Controller set to true. Found "
                                   "\"true\" in references for {} and {}",
                                   controller, name));
  }
}

// The names that Kubernetes gave before it asked for a domain.
bool is_standard_finalizer(std::string_view name) {
  return name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
}

void check_finalizers(const FieldPath& path, const meta::ObjectMeta& metadata,
                      FieldErrors& errors) {
  bool orphans = false, waits = false;
  for (int i = 0; i < metadata.finalizers_size(); ++i) {
    const std::string& name = metadata.finalizers(i);
    check_value(path, name, check_qualified_name, errors);
    if (!name.contains('/') && !is_standard_finalizer(name)) {
      errors.invalid(path[static_cast<std::size_t>(i)], name,
                     "name is neither a standard finalizer name nor is it fully qualified");
    }
    orphans |= name == "orphan";
    waits |= name == "foregroundDeletion";
  }
  if (orphans && waits) {
    errors.invalid_raw(path, go_syntax(metadata.finalizers()),
                       "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

void check_managed_fields(const FieldPath& path, const meta::ObjectMeta& metadata,
                          FieldErrors& errors) {
  for (int i = 0; i < metadata.managedfields_size(); ++i) {
    const auto& entry = metadata.managedfields(i);
    const FieldPath at = path[static_cast<std::size_t>(i)];
    if (entry.operation().empty()) {
      errors.required(at / "operation", "must not be empty");
    } else if (entry.operation() != "Apply" && entry.operation() != "Update") {
      errors.not_supported(at / "operation", entry.operation(), {"Apply", "Update"});
    }
    if (!entry.fieldstype().empty() && entry.fieldstype() != "FieldsV1") {
      errors.invalid(at / "fieldsType", entry.fieldstype(), "must be `FieldsV1`");
    }
    if (entry.manager().size() > manager_max) errors.too_long(at / "manager", manager_max);
    if (entry.subresource().size() > subresource_max) {
      errors.too_long(at / "subresource", subresource_max);
    }
  }
}

void check_new_finalizers(const meta::ObjectMeta& before, const meta::ObjectMeta& after,
                          const FieldPath& path, FieldErrors& errors) {
  const std::set<std::string> known(before.finalizers().begin(), before.finalizers().end());
  std::set<std::string> added;
  for (const auto& name : after.finalizers()) {
    if (!known.contains(name)) added.insert(name);
  }
  if (added.empty()) return;
  google::protobuf::RepeatedPtrField<std::string> list(added.begin(), added.end());
  errors.forbidden(path,
                   "no new finalizers can be added if the object is being deleted, found new "
                   "finalizers " +
                       go_syntax(list));
}

void check_same_time(const FieldPath& path, const meta::Time& before, const meta::Time& after,
                     FieldErrors& errors) {
  if (before.seconds() == after.seconds()) return;
  errors.invalid_raw(path, after.seconds() == 0 ? "null" : go_quote(time_text(from_time(after))),
                     immutable);
}

void check_immutable(const FieldPath& path, const std::string& before, const std::string& after,
                     FieldErrors& errors) {
  if (before != after) errors.invalid(path, after, immutable);
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> sorted(const StringMap& map) {
  std::vector<std::pair<std::string_view, std::string_view>> entries(map.begin(), map.end());
  std::ranges::sort(entries);
  return entries;
}

void check_labels(const FieldPath& path, const StringMap& labels, FieldErrors& errors) {
  for (const auto& [key, value] : sorted(labels)) {
    check_value(path, key, check_qualified_name, errors);
    check_value(path, value, check_label_value, errors);
  }
}

void check_annotations(const FieldPath& path, const StringMap& annotations, FieldErrors& errors) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : sorted(annotations)) {
    for (const auto& text : check_qualified_name(lower(key))) errors.invalid(path, key, text);
    bytes += key.size() + value.size();
  }
  if (bytes > Limits().annotations_bytes) errors.too_long(path, Limits().annotations_bytes);
}

namespace {

void check_requirement(const FieldPath& path, const meta::LabelSelectorRequirement& requirement,
                       FieldErrors& errors) {
  const std::string& op = requirement.operator_();
  if (op == "In" || op == "NotIn") {
    if (requirement.values().empty()) {
      errors.required(path / "values", "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!requirement.values().empty()) {
      errors.forbidden(path / "values",
                       "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else {
    errors.invalid(path / "operator", op, "not a valid selector operator");
  }
  check_value(path / "key", requirement.key(), check_qualified_name, errors);
  for (int i = 0; i < requirement.values_size(); ++i) {
    check_value((path / "values")[static_cast<std::size_t>(i)], requirement.values(i),
                check_label_value, errors);
  }
}

}  // namespace

void check_label_selector(const FieldPath& path, const meta::LabelSelector& selector,
                          FieldErrors& errors) {
  check_labels(path / "matchLabels", selector.matchlabels(), errors);
  for (int i = 0; i < selector.matchexpressions_size(); ++i) {
    check_requirement((path / "matchExpressions")[static_cast<std::size_t>(i)],
                      selector.matchexpressions(i), errors);
  }
}

void check_metadata(const Kind& kind, const meta::ObjectMeta& metadata, FieldErrors& errors) {
  const FieldPath path("metadata");
  check_name(kind, metadata, path, errors);
  check_non_negative(path / "generation", metadata.generation(), errors);
  check_labels(path / "labels", metadata.labels(), errors);
  check_annotations(path / "annotations", metadata.annotations(), errors);
  check_owners(path / "ownerReferences", metadata, errors);
  check_finalizers(path / "finalizers", metadata, errors);
  check_managed_fields(path / "managedFields", metadata, errors);
}

void check_metadata_update(const meta::ObjectMeta& before, const meta::ObjectMeta& after,
                           FieldErrors& errors) {
  const FieldPath path("metadata");
  if (before.has_deletiontimestamp()) {
    check_new_finalizers(before, after, path / "finalizers", errors);
  }
  if (after.generation() < before.generation()) {
    errors.invalid_number(path / "generation", after.generation(), "must not be decremented");
  }
  check_immutable(path / "name", before.name(), after.name(), errors);
  check_immutable(path / "namespace", before.namespace_(), after.namespace_(), errors);
  check_immutable(path / "uid", before.uid(), after.uid(), errors);
  check_same_time(path / "creationTimestamp", before.creationtimestamp(), after.creationtimestamp(),
                  errors);
  check_same_time(path / "deletionTimestamp", before.deletiontimestamp(), after.deletiontimestamp(),
                  errors);
  if (before.deletiongraceperiodseconds() != after.deletiongraceperiodseconds()) {
    errors.invalid_number(path / "deletionGracePeriodSeconds", after.deletiongraceperiodseconds(),
                          immutable);
  }
  check_labels(path / "labels", after.labels(), errors);
  check_annotations(path / "annotations", after.annotations(), errors);
  check_owners(path / "ownerReferences", after, errors);
  check_finalizers(path / "finalizers", after, errors);
  check_managed_fields(path / "managedFields", after, errors);
}

}  // namespace keelson

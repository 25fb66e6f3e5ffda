// Environment variables, and the selectors that take values from the pod or from other objects.
#include <algorithm>

#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/field_selector.pb.h"
#include "api/proto/core/v1/reference.pb.h"
#include "api/quantity.h"

namespace keelson::pod_spec {
namespace {

const std::vector<std::string_view>& environment_fields() {
  static const std::vector<std::string_view> fields = {"metadata.name",
                                                       "metadata.namespace",
                                                       "metadata.uid",
                                                       "spec.nodeName",
                                                       "spec.serviceAccountName",
                                                       "status.hostIP",
                                                       "status.hostIPs",
                                                       "status.podIP",
                                                       "status.podIPs"};
  return fields;
}

// Of an object the variable's value or variables come from.
void check_reference_name(Checker& checker, const FieldPath& path, const std::string& name) {
  if (name.empty()) return checker.errors.required(path / "name");
  // It is checked as a prefix is: a dash may end it.
  std::string checked = name;
  if (checked.size() > 1 && checked.ends_with('-')) checked.back() = 'a';
  for (const auto& text : check_dns_subdomain(checked)) {
    checker.errors.invalid(path / "name", name, text);
  }
}

template <typename Selector>
void check_key_selector(Checker& checker, const FieldPath& path, const Selector& selector) {
  check_value(path / "name", selector.localobjectreference().name(), check_dns_subdomain,
              checker.errors);
  if (selector.key().empty()) {
    checker.errors.required(path / "key");
  } else {
    check_value(path / "key", selector.key(), check_config_key, checker.errors);
  }
}

void check_value_from(Checker& checker, const FieldPath& path, const core::EnvVar& variable) {
  const core::EnvVarSource& source = variable.valuefrom();
  const int count = source.has_fieldref() + source.has_resourcefieldref() +
                    source.has_configmapkeyref() + source.has_secretkeyref();
  if (source.has_fieldref()) {
    check_field_selector(checker, path / "fieldRef", source.fieldref(), environment_fields());
  }
  if (source.has_resourcefieldref()) {
    check_resource_selector(checker, path / "resourceFieldRef", source.resourcefieldref(), false);
  }
  if (source.has_configmapkeyref()) {
    check_key_selector(checker, path / "configMapKeyRef", source.configmapkeyref());
  }
  if (source.has_secretkeyref()) {
    check_key_selector(checker, path / "secretKeyRef", source.secretkeyref());
  }
  if (count == 0) {
    checker.errors.invalid(
        path, "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  } else if (!variable.value().empty()) {
    checker.errors.invalid(path, "", "may not be specified when `value` is not empty");
  } else if (count > 1) {
    checker.errors.invalid(path, "", "may not have more than one field specified at a time");
  }
}

void check_env_from(Checker& checker, const FieldPath& list, const FieldPath& path,
                    const core::EnvFromSource& source) {
  if (!source.prefix().empty()) {
    check_value(path / "prefix", source.prefix(), check_environment_name, checker.errors);
  }
  if (source.has_configmapref()) {
    check_reference_name(checker, path / "configMapRef",
                         source.configmapref().localobjectreference().name());
  }
  if (source.has_secretref()) {
    check_reference_name(checker, path / "secretRef",
                         source.secretref().localobjectreference().name());
  }
  if (!source.has_configmapref() && !source.has_secretref()) {
    checker.errors.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`");
  } else if (source.has_configmapref() && source.has_secretref()) {
    checker.errors.invalid(list, "", "may not have more than one field specified at a time");
  }
}

bool is_huge_page_field(std::string_view field) {
  return field.starts_with("requests.hugepages-") || field.starts_with("limits.hugepages-");
}

// What a resource may be divided by: all that Kubernetes writes as 1 and a suffix.
void check_divisor(Checker& checker, const FieldPath& path,
                   const core::ResourceFieldSelector& selector) {
  const Quantity divisor = Quantity::of(selector.divisor());
  if (!selector.has_divisor() || divisor.is_zero()) return;
  const std::string_view field = selector.resource();
  const std::string text = divisor.text();
  if (field.ends_with(".cpu")) {
    if (text == "1m" || text == "1") return;
    return checker.errors.invalid(
        path / "divisor", field,
        "only divisor's values 1m and 1 are supported with the cpu resource");
  }
  static constexpr std::string_view sizes[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                               "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
  if (std::ranges::find(sizes, text) != std::end(sizes)) return;
  std::string_view what;
  if (field.ends_with(".memory")) what = "memory";
  if (field.ends_with(".ephemeral-storage")) what = "local ephemeral storage";
  if (is_huge_page_field(field)) what = "hugepages";
  if (what.empty()) return;
  checker.errors.invalid(path / "divisor", field,
                         fmt::format("only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, "
                                     "1Gi, 1Ti, 1Pi, 1Ei are supported with the {} resource",
                                     what));
}

// "metadata.labels['app']": its parts. False: it is no such path.
bool split_subscript(std::string_view field_path, std::string_view& path, std::string_view& key) {
  const auto open = field_path.find("['");
  if (open == std::string_view::npos || !field_path.ends_with("']")) return false;
  path = field_path.substr(0, open);
  if (open + 4 > field_path.size()) return false;
  key = field_path.substr(open + 2, field_path.size() - open - 4);
  return !path.empty();
}

// What the downward API knows of a pod, here or there.
bool is_pod_field(std::string_view field) {
  const auto& fields = environment_fields();
  return std::ranges::find(fields, field) != fields.end() || field == "metadata.labels" ||
         field == "metadata.annotations" || field == "spec.restartPolicy" ||
         field == "spec.schedulerName" || field == "status.phase";
}

}  // namespace

void check_environment(Checker& checker, const FieldPath& path, const core::Container& container) {
  each(path / "env", container.env(), [&](const FieldPath& at, const core::EnvVar& variable) {
    if (variable.name().empty()) {
      checker.errors.required(at / "name");
    } else {
      check_value(at / "name", variable.name(), check_environment_name, checker.errors);
    }
    if (variable.has_valuefrom()) check_value_from(checker, at / "valueFrom", variable);
  });
  const FieldPath list = path / "envFrom";
  each(list, container.envfrom(), [&](const FieldPath& at, const core::EnvFromSource& source) {
    check_env_from(checker, list, at, source);
  });
}

void check_field_selector(Checker& checker, const FieldPath& path,
                          const core::ObjectFieldSelector& selector,
                          const std::vector<std::string_view>& supported) {
  if (selector.apiversion().empty()) return checker.errors.required(path / "apiVersion");
  const std::string& field = selector.fieldpath();
  if (field.empty()) return checker.errors.required(path / "fieldPath");
  if (selector.apiversion() != "v1") {
    return checker.errors.invalid(
        path / "fieldPath", field,
        fmt::format("error converting fieldPath: unsupported pod version: {}",
                    selector.apiversion()));
  }
  std::string_view map, key;
  if (split_subscript(field, map, key)) {
    if (map != "metadata.annotations" && map != "metadata.labels") {
      return checker.errors.invalid(
          path / "fieldPath", field,
          fmt::format("error converting fieldPath: field label does not support subscript: {}",
                      field));
    }
    std::string checked(key);
    if (map == "metadata.annotations") {  // whose keys may have capital letters
      std::ranges::transform(checked, checked.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
    }
    return check_value(path, checked, check_qualified_name, checker.errors);
  }
  if (!is_pod_field(field)) {
    return checker.errors.invalid(
        path / "fieldPath", field,
        fmt::format("error converting fieldPath: field label not supported: {}", field));
  }
  if (std::ranges::find(supported, field) == supported.end()) {
    checker.errors.not_supported(path / "fieldPath", field, supported);
  }
}

void check_resource_selector(Checker& checker, const FieldPath& path,
                             const core::ResourceFieldSelector& selector, bool needs_container) {
  static const std::vector<std::string_view> fields = {
      "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
      "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  if (needs_container && selector.containername().empty()) {
    checker.errors.required(path / "containerName");
  } else if (selector.resource().empty()) {
    checker.errors.required(path / "resource");
  } else if (std::ranges::find(fields, selector.resource()) == fields.end() &&
             !is_huge_page_field(selector.resource())) {
    checker.errors.not_supported(path / "resource", selector.resource(), fields);
  }
  check_divisor(checker, path, selector);
}

}  // namespace keelson::pod_spec

// Rules of resource names.
#include "api/resource_names.h"

#include <algorithm>
#include <string>

#include "api/names.h"

namespace keelson {
namespace {

constexpr std::string_view huge_pages_prefix = "hugepages-";
constexpr std::string_view quota_prefix = "requests.";

bool is_standard_container_resource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         is_huge_page_resource(name);
}

// Without a domain: containers', nodes' and quotas'.
bool is_standard_resource(std::string_view name) {
  static constexpr std::string_view names[] = {"cpu",
                                               "memory",
                                               "ephemeral-storage",
                                               "requests.cpu",
                                               "requests.memory",
                                               "requests.ephemeral-storage",
                                               "limits.cpu",
                                               "limits.memory",
                                               "limits.ephemeral-storage",
                                               "pods",
                                               "resourcequotas",
                                               "services",
                                               "replicationcontrollers",
                                               "secrets",
                                               "configmaps",
                                               "persistentvolumeclaims",
                                               "storage",
                                               "requests.storage",
                                               "services.nodeports",
                                               "services.loadbalancers"};
  return std::ranges::find(names, name) != std::end(names) || is_huge_page_resource(name) ||
         name.starts_with("requests.hugepages-");
}

}  // namespace

bool is_native_resource(std::string_view name) {
  return !name.contains('/') || name.contains("kubernetes.io/");
}

bool is_huge_page_resource(std::string_view name) {
  return name.starts_with(huge_pages_prefix);
}

bool is_extended_resource(std::string_view name) {
  if (is_native_resource(name) || name.starts_with(quota_prefix)) return false;
  return check_qualified_name(std::string(quota_prefix) + std::string(name)).empty();
}

bool is_integer_resource(std::string_view name) {
  static constexpr std::string_view names[] = {"pods",
                                               "resourcequotas",
                                               "services",
                                               "replicationcontrollers",
                                               "secrets",
                                               "configmaps",
                                               "persistentvolumeclaims",
                                               "services.nodeports",
                                               "services.loadbalancers"};
  return std::ranges::find(names, name) != std::end(names) || is_extended_resource(name);
}

bool is_overcommit_allowed(std::string_view name) {
  return is_native_resource(name) && !is_huge_page_resource(name);
}

bool is_whole_huge_pages(std::string_view name, const Quantity& amount) {
  const auto page = Quantity::parse(name.substr(huge_pages_prefix.size()));
  if (!page || page->value() <= 0 || amount.is_negative()) return false;
  return amount.value() % page->value() == 0;
}

void check_container_resource_name(const FieldPath& path, std::string_view name,
                                   FieldErrors& errors) {
  const std::size_t before = errors.causes().size();
  check_value(path, name, check_qualified_name, errors);
  if (!name.contains('/')) {
    if (errors.causes().size() == before && !is_standard_resource(name)) {
      errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
    if (!is_standard_container_resource(name)) {
      errors.invalid(path, name, "must be a standard resource for containers");
    }
  } else if (!is_native_resource(name) && !is_extended_resource(name)) {
    errors.invalid(path, name, "doesn't follow extended resource name standard");
  }
}

void check_resource_amount(const FieldPath& path, std::string_view name, const Quantity& amount,
                           FieldErrors& errors) {
  if (amount.is_negative()) {
    errors.invalid(path, amount.text(), "must be greater than or equal to 0");
  }
  if (is_integer_resource(name) && amount.milli() % 1000 != 0) {
    errors.invalid(path, amount.text(), "must be an integer");
  }
}

}  // namespace keelson

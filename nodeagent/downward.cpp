// The downward API's fields and resources.
#include "nodeagent/downward.h"

#include <fmt/ranges.h>

#include <map>

#include "api/go_text.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/quantity.h"

namespace keelson {
namespace {

using StringMap = google::protobuf::Map<std::string, std::string>;

std::string lines_of(const StringMap& map) {
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  std::string out;
  for (const auto& [key, value] : sorted) {
    if (!out.empty()) out += '\n';
    out += key + "=" + go_quote(value);
  }
  return out;
}

// "metadata.labels['app']" → "app", if path starts with `map`.
const std::string* subscripted(std::string_view path, std::string_view map, const StringMap& values,
                               bool& applies) {
  static const std::string nothing;
  if (!path.starts_with(map) || !path.substr(map.size()).starts_with("['") ||
      !path.ends_with("']")) {
    return nullptr;
  }
  applies = true;
  path.remove_prefix(map.size() + 2);
  path.remove_suffix(2);
  const auto found = values.find(std::string(path));
  return found == values.end() ? &nothing : &found->second;
}

std::int64_t rounded_up(std::int64_t amount, std::int64_t unit) {
  return (amount + unit - 1) / unit;
}

}  // namespace

Result<std::string> field_value(const core::Pod& pod, const PodPlace& place,
                                std::string_view field_path) {
  const auto& metadata = pod.metadata();
  if (field_path == "metadata.name") return metadata.name();
  if (field_path == "metadata.namespace") return metadata.namespace_();
  if (field_path == "metadata.uid") return metadata.uid();
  if (field_path == "metadata.labels") return lines_of(metadata.labels());
  if (field_path == "metadata.annotations") return lines_of(metadata.annotations());
  if (field_path == "spec.nodeName") return pod.spec().nodename();
  if (field_path == "spec.serviceAccountName") return pod.spec().serviceaccountname();
  if (field_path == "status.hostIP" || field_path == "status.hostIPs") return place.host_ip;
  if (field_path == "status.podIP") {
    return place.pod_ips.empty() ? std::string() : place.pod_ips.front();
  }
  if (field_path == "status.podIPs") return fmt::format("{}", fmt::join(place.pod_ips, ","));
  bool applies = false;
  const std::string* value = subscripted(field_path, "metadata.labels", metadata.labels(), applies);
  if (!applies) {
    value = subscripted(field_path, "metadata.annotations", metadata.annotations(), applies);
  }
  if (applies) return *value;
  return fail(Reason::Invalid, "unsupported fieldPath: {}", field_path);
}

Result<std::string> resource_field_value(const core::Container& container, const PodPlace& place,
                                         const core::ResourceFieldSelector& selector) {
  const auto dot = selector.resource().find('.');
  const std::string list = selector.resource().substr(0, dot);
  const std::string name =
      dot == std::string::npos ? std::string() : selector.resource().substr(dot + 1);
  const bool is_cpu = name == "cpu";
  std::int64_t amount = is_cpu             ? place.allocatable_cpu_millicores
                        : name == "memory" ? place.allocatable_memory_bytes
                                           : place.allocatable_ephemeral_storage_bytes;
  if ((list != "limits" && list != "requests") ||
      (!is_cpu && name != "memory" && name != "ephemeral-storage")) {
    return fail(Reason::Invalid, "unsupported container resource: {}", selector.resource());
  }
  const auto& set =
      list == "limits" ? container.resources().limits() : container.resources().requests();
  if (const auto found = set.find(name); found != set.end()) {
    const Quantity quantity = Quantity::of(found->second);
    amount = is_cpu ? quantity.milli() : quantity.value();
  } else if (list == "requests") {
    amount = 0;
  }
  const Quantity divisor =
      selector.has_divisor() ? Quantity::of(selector.divisor()) : Quantity::from_value(1);
  const std::int64_t unit = is_cpu ? divisor.milli() : divisor.value();
  return std::to_string(rounded_up(amount, unit > 0 ? unit : is_cpu ? 1'000 : 1));
}

}  // namespace keelson

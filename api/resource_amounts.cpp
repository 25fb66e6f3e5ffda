// Sums over a pod's containers.
#include "api/resource_amounts.h"

#include <algorithm>
#include <limits>
#include <map>

#include "api/proto/core/v1/container.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/quantity.h"

namespace keelson {
namespace {

// What a container without a request counts in scores. Source: kube-scheduler
// (DefaultMilliCPURequest, DefaultMemoryRequest).
constexpr std::int64_t score_cpu_millicores = 100;
constexpr std::int64_t score_memory_bytes = 200 * 1024 * 1024;

using Other = std::pair<std::string, std::int64_t>;

std::int64_t& other_of(std::vector<Other>& others, const std::string& name) {
  auto at = std::ranges::lower_bound(others, name, {}, &Other::first);
  if (at == others.end() || at->first != name) at = others.insert(at, {name, 0});
  return at->second;
}

// Amounts come from users: what is beyond an int64 stays at its end.
void add_saturated(std::int64_t& sum, std::int64_t amount) {
  if (!__builtin_add_overflow(sum, amount, &sum)) return;
  sum = amount > 0 ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
}

void subtract_saturated(std::int64_t& sum, std::int64_t amount) {
  if (!__builtin_sub_overflow(sum, amount, &sum)) return;
  sum = amount > 0 ? std::numeric_limits<std::int64_t>::min()
                   : std::numeric_limits<std::int64_t>::max();
}

enum class Unasked { CountsNothing, CountsForScore };

ResourceAmounts requests_of(const core::Container& container, Unasked unasked) {
  const auto& requests = container.resources().requests();
  auto amounts = ResourceAmounts::of(requests);
  if (unasked == Unasked::CountsForScore) {
    if (!requests.contains("cpu")) amounts.cpu_millicores = score_cpu_millicores;
    if (!requests.contains("memory")) amounts.memory_bytes = score_memory_bytes;
  }
  return amounts;
}

// Init containers run one after the other, but those that restart go on beside all that follow.
ResourceAmounts sum_of(const core::PodSpec& spec, Unasked unasked) {
  ResourceAmounts running;
  ResourceAmounts peak;
  for (const auto& container : spec.initcontainers()) {
    ResourceAmounts requests = requests_of(container, unasked);
    if (container.restartpolicy() == "Always") {
      running.add(requests);
      peak.raise_to(running);
    } else {
      requests.add(running);
      peak.raise_to(requests);
    }
  }
  for (const auto& container : spec.containers()) running.add(requests_of(container, unasked));
  running.raise_to(peak);
  running.add(ResourceAmounts::of(spec.overhead()));
  return running;
}

}  // namespace

ResourceAmounts ResourceAmounts::of(const QuantityMap& quantities) {
  ResourceAmounts amounts;
  for (const auto& [name, message] : quantities) {
    const Quantity quantity = Quantity::of(message);
    if (name == "cpu") {
      amounts.cpu_millicores = quantity.milli();
    } else if (name == "memory") {
      amounts.memory_bytes = quantity.value();
    } else if (name == "ephemeral-storage") {
      amounts.ephemeral_storage_bytes = quantity.value();
    } else {
      amounts.others.emplace_back(name, quantity.value());
    }
  }
  std::ranges::sort(amounts.others);
  return amounts;
}

std::int64_t ResourceAmounts::other(std::string_view name) const {
  auto at = std::ranges::lower_bound(others, name, {}, &Other::first);
  return at != others.end() && at->first == name ? at->second : 0;
}

void ResourceAmounts::add(const ResourceAmounts& amounts) {
  add_saturated(cpu_millicores, amounts.cpu_millicores);
  add_saturated(memory_bytes, amounts.memory_bytes);
  add_saturated(ephemeral_storage_bytes, amounts.ephemeral_storage_bytes);
  for (const auto& [name, amount] : amounts.others) add_saturated(other_of(others, name), amount);
}

void ResourceAmounts::subtract(const ResourceAmounts& amounts) {
  subtract_saturated(cpu_millicores, amounts.cpu_millicores);
  subtract_saturated(memory_bytes, amounts.memory_bytes);
  subtract_saturated(ephemeral_storage_bytes, amounts.ephemeral_storage_bytes);
  for (const auto& [name, amount] : amounts.others)
    subtract_saturated(other_of(others, name), amount);
}

void ResourceAmounts::raise_to(const ResourceAmounts& amounts) {
  cpu_millicores = std::max(cpu_millicores, amounts.cpu_millicores);
  memory_bytes = std::max(memory_bytes, amounts.memory_bytes);
  ephemeral_storage_bytes = std::max(ephemeral_storage_bytes, amounts.ephemeral_storage_bytes);
  for (const auto& [name, amount] : amounts.others) {
    std::int64_t& mine = other_of(others, name);
    mine = std::max(mine, amount);
  }
}

namespace {

// What quality of service looks at: the requests and limits of cpu and memory that are not zero.
struct Totals {
  std::map<std::string, Quantity> requests, limits;
  bool all_limited = true;  // every container limits both

  static bool add(std::map<std::string, Quantity>& totals, const QuantityMap& quantities) {
    std::size_t counted = 0;
    for (const char* name : {"cpu", "memory"}) {
      const auto found = quantities.find(name);
      if (found == quantities.end()) continue;
      const Quantity quantity = Quantity::of(found->second);
      if (quantity.is_zero() || quantity.is_negative()) continue;
      totals[name] = totals[name] + quantity;
      ++counted;
    }
    return counted == 2;
  }
  void add(const core::Container& container) {
    add(requests, container.resources().requests());
    if (!add(limits, container.resources().limits())) all_limited = false;
  }
};

}  // namespace

std::string_view qos_class_of(const core::PodSpec& spec) {
  Totals totals;
  for (const auto& container : spec.containers()) totals.add(container);
  for (const auto& container : spec.initcontainers()) totals.add(container);
  if (totals.requests.empty() && totals.limits.empty()) return "BestEffort";
  return totals.all_limited && totals.requests == totals.limits ? "Guaranteed" : "Burstable";
}

ResourceAmounts pod_requests(const core::PodSpec& spec) {
  return sum_of(spec, Unasked::CountsNothing);
}

ResourceAmounts pod_requests_for_score(const core::PodSpec& spec) {
  return sum_of(spec, Unasked::CountsForScore);
}

}  // namespace keelson

// Requests and limits.
#include <algorithm>

#include "api/pod_spec/parts.h"
#include "api/proto/resource/quantity.pb.h"
#include "api/quantity.h"
#include "api/resource_amounts.h"
#include "api/resource_names.h"

namespace keelson::pod_spec {
namespace {

using Entry = std::pair<std::string_view, Quantity>;

std::vector<Entry> sorted_amounts(const QuantityMap& quantities) {
  std::vector<Entry> entries;
  for (const auto& [name, message] : quantities) entries.emplace_back(name, Quantity::of(message));
  std::ranges::sort(entries, {}, &Entry::first);
  return entries;
}

void check_amount(Checker& checker, const FieldPath& path, std::string_view name,
                  const Quantity& amount) {
  check_container_resource_name(path, name, checker.errors);
  check_resource_amount(path, name, amount, checker.errors);
  if (is_huge_page_resource(name) && !is_whole_huge_pages(name, amount)) {
    checker.errors.invalid(
        path, amount.text(),
        fmt::format("{} is not positive integer multiple of {}", amount.text(), name));
  }
}

void check_request(Checker& checker, const FieldPath& path, const Entry& request,
                   const QuantityMap& limits) {
  const auto& [name, amount] = request;
  const FieldPath requests = path / "requests";
  const auto found = limits.find(std::string(name));
  if (found == limits.end()) {
    if (!is_overcommit_allowed(name)) {
      checker.errors.required(path / "limits",
                              "Limit must be set for non overcommitable resources");
    }
    return;
  }
  const Quantity limit = Quantity::of(found->second);
  if (amount != limit && !is_overcommit_allowed(name)) {
    checker.errors.invalid(requests, amount.text(),
                           fmt::format("must be equal to {} limit of {}", name, limit.text()));
  } else if (amount > limit) {
    checker.errors.invalid(
        requests, amount.text(),
        fmt::format("must be less than or equal to {} limit of {}", name, limit.text()));
  }
}

// Names of resourceClaims, each once; a claim's requests one by one.
void check_claims(Checker& checker, const FieldPath& path,
                  const core::ResourceRequirements& resources) {
  std::set<std::string> seen;
  each(path, resources.claims(), [&](const FieldPath& at, const core::ResourceClaim& claim) {
    if (claim.name().empty()) return checker.errors.required(at);
    std::string key = claim.name();
    if (!claim.request().empty()) {
      check_value(at / "request", claim.request(), check_dns_label, checker.errors);
      key += "/" + claim.request();
    }
    if (seen.contains(claim.name()) || !seen.insert(key).second) checker.errors.duplicate(at, key);
    if (checker.claims.contains(claim.name())) return;
    std::string known;
    for (const auto& name : checker.claims) known += (known.empty() ? ": " : ", ") + name;
    checker.errors.not_found(at, claim.name(),
                             "must be one of the names in pod.spec.resourceClaims" +
                                 (known.empty() ? " which is empty" : known));
  });
}

}  // namespace

void check_resources(Checker& checker, const FieldPath& path,
                     const core::ResourceRequirements& resources) {
  bool has_compute = false, has_huge_pages = false;
  const auto note = [&](std::string_view name) {
    has_compute |= name == "cpu" || name == "memory";
    has_huge_pages |= is_huge_page_resource(name);
  };
  for (const auto& [name, amount] : sorted_amounts(resources.limits())) {
    check_amount(checker, (path / "limits").key(name), name, amount);
    note(name);
  }
  for (const auto& request : sorted_amounts(resources.requests())) {
    check_amount(checker, (path / "requests").key(request.first), request.first, request.second);
    check_request(checker, path, request, resources.limits());
    note(request.first);
  }
  if (has_huge_pages && !has_compute) {
    checker.errors.forbidden(path, "HugePages require cpu or memory");
  }
  check_claims(checker, path / "claims", resources);
}

}  // namespace keelson::pod_spec

// Conflicts, found and told.
#include "api/apply_conflicts.h"

#include <algorithm>

#include "api/go_text.h"

namespace keelson {
namespace {

// `"web" with subresource "status" using v1`
std::string manager_text(const ManagedEntry& entry) {
  std::string text = go_quote(entry.manager);
  if (!entry.subresource.empty()) text += " with subresource " + go_quote(entry.subresource);
  if (!entry.applied) text.append(" using ").append(entry.api_version);
  return text;
}

}  // namespace

std::vector<ApplyConflict> conflicts_with(std::vector<ManagedEntry>& entries,
                                          const ManagedEntry& own, const FieldSet& changed) {
  std::vector<ApplyConflict> conflicts;
  for (const ManagedEntry& entry : entries) {
    if (entry.is(own) || !intersects(entry.fields, changed)) continue;
    conflicts.push_back({&entry, intersect(entry.fields, changed)});
  }
  std::ranges::sort(conflicts, {},
                    [](const ApplyConflict& conflict) { return manager_text(*conflict.with); });
  return conflicts;
}

std::vector<ApplyConflict> without(std::vector<ApplyConflict> conflicts, const FieldSet& allowed) {
  for (ApplyConflict& conflict : conflicts) conflict.fields = subtract(conflict.fields, allowed);
  std::erase_if(conflicts, [](const ApplyConflict& conflict) { return conflict.fields.empty(); });
  return conflicts;
}

Error conflict_error(const std::vector<ApplyConflict>& conflicts) {
  ErrorDetails details;
  std::string all;
  for (const ApplyConflict& conflict : conflicts) {
    const std::string manager = manager_text(*conflict.with);
    if (!all.empty()) all += '\n';
    all += "conflicts with " + manager + ":";
    for (std::string& path : conflict.fields.paths()) {
      all += "\n- " + path;
      details.causes.push_back(
          {"FieldManagerConflict", "conflict with " + manager, std::move(path)});
    }
  }
  std::string message =
      fmt::format("Apply failed with {} conflicts: {}", details.causes.size(), all);
  if (details.causes.size() == 1) {
    const Cause& only = details.causes.front();
    message = fmt::format("Apply failed with 1 conflict: {}: {}", only.message, only.field);
  }
  return {Reason::Conflict, std::move(message),
          std::make_shared<const ErrorDetails>(std::move(details))};
}

}  // namespace keelson

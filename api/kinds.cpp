// The table of all kinds. Adding one is its file in api/kinds/ and a line here.
#include "api/kinds.h"

#include <algorithm>

namespace keelson {
namespace {

const std::vector<const Kind*>& rows() {
  static const std::vector<const Kind*> table = {
      // core/v1
      &kinds::config_map(),
      &kinds::endpoints(),
      &kinds::event(),
      &kinds::name_space(),
      &kinds::node(),
      &kinds::pod(),
      &kinds::secret(),
      &kinds::service_account(),
      &kinds::service(),
      // apps/v1
      &kinds::deployment(),
      &kinds::replica_set(),
      // events.k8s.io/v1, coordination.k8s.io/v1, scheduling.k8s.io/v1, discovery.k8s.io/v1
      &kinds::event_v1(),
      &kinds::lease(),
      &kinds::priority_class(),
      &kinds::endpoint_slice(),
  };
  return table;
}

}  // namespace

std::span<const Kind* const> all_kinds() {
  return rows();
}

const Kind* find_resource(std::string_view group, std::string_view version,
                          std::string_view plural) {
  auto found = std::ranges::find_if(rows(), [&](const Kind* kind) {
    return kind->plural == plural && kind->group == group && kind->version == version;
  });
  return found == rows().end() ? nullptr : *found;
}

const Kind* find_kind(std::string_view api_version, std::string_view kind_name) {
  const auto slash = api_version.find('/');
  const bool is_core = slash == std::string_view::npos;
  const std::string_view group = is_core ? std::string_view{} : api_version.substr(0, slash);
  const std::string_view version = is_core ? api_version : api_version.substr(slash + 1);
  auto found = std::ranges::find_if(rows(), [&](const Kind* kind) {
    return kind->kind == kind_name && kind->group == group && kind->version == version;
  });
  return found == rows().end() ? nullptr : *found;
}

}  // namespace keelson

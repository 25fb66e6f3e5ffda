// The options of a request that stand in its query, read as Kubernetes reads them: what is unknown
// is passed over, what is malformed is refused.
#pragma once

#include <optional>
#include <string>

#include "base/http.h"
#include "control/registry/registry.h"

namespace keelson {

class Query {
 public:
  explicit Query(const HttpTarget& target) : target_(target) {}
  std::string text(std::string_view name) const;  // "" if it is not there
  bool has(std::string_view name) const { return target_.parameter(name) != nullptr; }
  bool flag(std::string_view name) const;  // there, and not "false" or "0"
  Result<std::optional<std::int64_t>> number(std::string_view name) const;  // BadRequest

 private:
  const HttpTarget& target_;
};

Result<ListQuery> list_query(const Query& query, std::string name_space);
Result<WatchQuery> watch_query(const Query& query, std::string name_space);
// The seconds until the server ends a watch; nothing: it may choose.
Result<std::optional<std::int64_t>> watch_seconds(const Query& query);

// dryRun, fieldManager, fieldValidation and force into the context. Invalid, of the kind of
// options ("CreateOptions"): a value that cannot be.
Result<> write_options(const Query& query, std::string_view options_kind, RequestContext& context);
// Values of dryRun, from the query or a body: empty or All.
Result<bool> is_dry_run(const std::vector<std::string>& values, std::string_view options_kind);

// What a client calls itself in its User-Agent: the part before the first slash.
std::string manager_of_user_agent(std::string_view user_agent);

}  // namespace keelson

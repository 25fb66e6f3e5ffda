// X.509: the common name is the user, the organizations are the groups.
#include "control/server/authenticate.h"

#include <algorithm>

#include "api/go_text.h"
#include "api/pki.h"

namespace keelson {
namespace {

constexpr std::string_view authenticated_group = "system:authenticated";

std::unexpected<Error> may_not_impersonate(const Identity& identity, std::string_view resource,
                                           std::string_view name) {
  return fail(Reason::Forbidden,
              "{} {} is forbidden: User {} cannot impersonate resource {} in API group \"\" at the "
              "cluster scope",
              resource, go_quote(name), go_quote(identity.user), go_quote(resource));
}

// Until there are rules that say who may speak as whom, whoever may do everything may.
Result<Identity> impersonated(Identity identity, const HttpHeaders& headers) {
  const std::string_view user = headers.get("Impersonate-User");
  const auto groups = headers.all("Impersonate-Group");
  const bool asks = !user.empty() || !groups.empty() || headers.contains("Impersonate-Uid") ||
                    std::ranges::any_of(headers, [](const HttpHeaders::Field& field) {
                      return field.first.starts_with("Impersonate-Extra-");
                    });
  if (!asks) return identity;
  if (user.empty()) {
    return fail(Reason::BadRequest, "requested [{}] without impersonating a user",
                groups.empty() ? "" : groups.front());
  }
  if (!identity.in_group(masters_group)) return may_not_impersonate(identity, "users", user);
  Identity other{.user = std::string(user)};
  for (const std::string_view group : groups) other.groups.emplace_back(group);
  if (!other.in_group(authenticated_group)) other.groups.emplace_back(authenticated_group);
  return other;
}

}  // namespace

bool Identity::in_group(std::string_view group) const {
  return std::ranges::find(groups, group) != groups.end();
}

Result<Identity> authenticate(const TlsPeer* peer, const HttpHeaders& headers) {
  if (!peer || !peer->error.empty() || peer->common_name.empty()) {
    return fail(Reason::Unauthorized, "Unauthorized");
  }
  Identity identity{.user = peer->common_name, .groups = peer->organizations};
  identity.groups.emplace_back(authenticated_group);
  return impersonated(std::move(identity), headers);
}

}  // namespace keelson

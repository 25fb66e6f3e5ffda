// The list of authorizers, and the words of a refusal.
#include "control/server/authorize.h"

#include "api/go_text.h"

namespace keelson {
namespace {

std::string resource_text(const Attributes& asked) {
  std::string text(asked.resource);
  if (!asked.subresource.empty()) text.append("/").append(asked.subresource);
  return text;
}

// `pods "x" is forbidden: User "u" cannot get resource "pods/log" in API group "" in the namespace
// "n"`
std::unexpected<Error> refused(const Identity& identity, const Attributes& asked) {
  if (!asked.path.empty()) {
    return fail(Reason::Forbidden, "forbidden: User {} cannot {} path {}", go_quote(identity.user),
                asked.verb, go_quote(asked.path));
  }
  ErrorDetails details{.group = std::string(asked.group),
                       .kind = std::string(asked.resource),
                       .name = std::string(asked.name)};
  std::string text(asked.resource);
  if (!asked.group.empty()) text.append(".").append(asked.group);
  if (!asked.name.empty()) text += " " + go_quote(asked.name);
  text += fmt::format(" is forbidden: User {} cannot {} resource {} in API group {}",
                      go_quote(identity.user), asked.verb, go_quote(resource_text(asked)),
                      go_quote(asked.group));
  text += asked.name_space.empty() ? " at the cluster scope"
                                   : " in the namespace " + go_quote(asked.name_space);
  return std::unexpected(Error{Reason::Forbidden, std::move(text),
                               std::make_shared<const ErrorDetails>(std::move(details))});
}

}  // namespace

Result<> Authorization::check(const Identity& identity, const Attributes& attributes) const {
  for (const Authorizer& authorizer : authorizers_) {
    const Decision decision = authorizer.decide(identity, attributes);
    if (decision == Decision::Allow) return {};
    if (decision == Decision::Deny) break;
  }
  return refused(identity, attributes);
}

Authorizer everybody_authenticated() {
  return {"everybody authenticated", [](const Identity& identity, const Attributes&) {
            return identity.in_group("system:authenticated") ? Decision::Allow
                                                             : Decision::NoOpinion;
          }};
}

}  // namespace keelson

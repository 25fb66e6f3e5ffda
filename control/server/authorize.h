// Who may do what: a named step of every request, asked before anything of it is looked at.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/server/authenticate.h"

namespace keelson {

// What is asked, as RBAC's rules speak of it.
struct Attributes {
  std::string_view verb;  // "get", "list", "watch", "create", "update", "patch", "delete" …
  std::string_view group, resource, subresource, name_space, name;
  std::string_view path;  // of what is no resource; else empty
};

enum class Decision { Allow, Deny, NoOpinion };

// One source of decisions: the first with an opinion decides, and without any it is no. RBAC and
// the Node authorizer are rows of this list.
struct Authorizer {
  std::string_view name;
  std::function<Decision(const Identity&, const Attributes&)> decide;
};

class Authorization {
 public:
  explicit Authorization(std::vector<Authorizer> authorizers)
      : authorizers_(std::move(authorizers)) {}
  // Forbidden, in Kubernetes' words. Any thread.
  Result<> check(const Identity& identity, const Attributes& attributes) const;

 private:
  std::vector<Authorizer> authorizers_;
};

Authorizer everybody_authenticated();

}  // namespace keelson

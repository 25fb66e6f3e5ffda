// What a request asks for, by its path and method: a resource of the API, or one of the few things
// beside it.
#pragma once

#include <optional>
#include <string>

#include "control/server/hands.h"

namespace keelson {

// A request about objects of a kind.
struct ResourceRequest {
  std::string_view verb;  // Kubernetes': "get", "list", "watch", "create", "update", "patch",
                          // "delete", "deletecollection"
  const Kind* kind = nullptr;
  std::string name_space;  // empty: all, or the kind has none
  std::string name;        // empty: the collection
  std::string subresource;

  Target target() const { return {*kind, name_space, name, subresource}; }
};

// NotFound: no such kind, or subresource. MethodNotAllowed. Paths of no resource: nothing.
Result<std::optional<ResourceRequest>> parse_resource(const HttpRequest& request,
                                                      const HttpTarget& target);

// A path of no resource. `open` ones are answered to anybody.
struct Route {
  std::string_view path;  // "/version"; with a slash at its end: everything below, too
  bool open = false;
  void (*handle)(Hands& hands, CallPtr call) = nullptr;
};
const Route* find_route(std::string_view path);  // null: there is none

// The verb of a path of no resource, for authorization: "get", "post" …
std::string method_verb(std::string_view method);

}  // namespace keelson

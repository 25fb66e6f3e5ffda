// The route table: everything the server answers to.
#include "control/server/routes.h"

#include <algorithm>
#include <array>

#include "control/registry/errors.h"
#include "control/server/documents.h"
#include "control/server/health.h"

namespace keelson {
namespace {

constexpr std::array routes = {
    Route{"/", false, serve_index},
    Route{"/api", false, serve_core_versions},
    Route{"/api/v1", false, serve_resources},
    Route{"/apis", false, serve_groups},
    Route{"/apis/", false, serve_resources},
    Route{"/openapi/v2", false, serve_openapi_v2},
    Route{"/openapi/v3/", false, serve_openapi_v3},
    Route{"/version", true, serve_version},
    Route{"/healthz/", true, serve_health},
    Route{"/livez/", true, serve_health},
    Route{"/readyz/", true, serve_health},
};

std::unexpected<Error> no_such_path() {
  return std::unexpected(Error{Reason::NotFound, "the server could not find the requested resource",
                               std::make_shared<const ErrorDetails>()});
}

// Segments behind the version: [namespaces, NS,] RESOURCE [, NAME [, SUBRESOURCE]].
struct ResourcePath {
  std::string group, version, resource;
  std::string name_space, name, subresource;
  bool names_namespace = false;
};

std::optional<ResourcePath> split(const std::vector<std::string>& segments) {
  const bool core = !segments.empty() && segments[0] == "api";
  const bool grouped = !segments.empty() && segments[0] == "apis";
  std::size_t at = core ? 2 : 3;
  if ((!core && !grouped) || segments.size() <= at) return std::nullopt;
  ResourcePath path{.group = core ? "" : segments[1], .version = segments[at - 1]};
  // A Namespace itself has only these below its name.
  const auto is_own = [](const std::string& below) {
    return below == "status" || below == "finalize";
  };
  const std::size_t left = segments.size() - at;
  if (core && segments[at] == "namespaces" && left == 3 && is_own(segments[at + 2])) {
    path.resource = "namespaces";
    path.name = segments[at + 1];
    path.subresource = segments[at + 2];
    return path;
  }
  if (segments[at] == "namespaces" && left >= 3) {
    path.names_namespace = true;
    path.name_space = segments[at + 1];
    at += 2;
  }
  path.resource = segments[at];
  if (segments.size() > at + 1) path.name = segments[at + 1];
  if (segments.size() > at + 2) path.subresource = segments[at + 2];
  for (std::size_t i = at + 3; i < segments.size(); ++i) path.subresource += "/" + segments[i];
  return path;
}

bool is_watch(const HttpTarget& target) {
  const std::string* watch = target.parameter("watch");
  return watch && *watch != "false" && *watch != "0";
}

std::string_view verb_of(std::string_view method, bool is_collection, bool watch) {
  if (method == "GET" || method == "HEAD") {
    if (watch) return "watch";
    return is_collection ? "list" : "get";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return is_collection ? "deletecollection" : "delete";
  return {};
}

// Does the method make sense there? A namespaced kind without a namespace can only be read.
bool fits(const ResourceRequest& request, const ResourcePath& path) {
  if (request.verb.empty()) return false;
  if (!request.subresource.empty()) {
    return request.verb != "list" && request.verb != "watch" && request.verb != "delete";
  }
  const bool is_collection = request.name.empty();
  if (request.kind->namespaced() && !path.names_namespace) {
    return is_collection && (request.verb == "list" || request.verb == "watch");
  }
  if (is_collection) return request.verb != "update" && request.verb != "patch";
  return request.verb != "create";
}

}  // namespace

Result<std::optional<ResourceRequest>> parse_resource(const HttpRequest& request,
                                                      const HttpTarget& target) {
  auto path = split(target.segments);
  if (!path) return std::nullopt;
  const Kind* kind = find_resource(path->group, path->version, path->resource);
  if (!kind || (path->names_namespace && !kind->namespaced())) return no_such_path();
  if (!path->subresource.empty() && !kind->subresource(path->subresource)) return no_such_path();
  ResourceRequest asked{.verb = verb_of(request.method, path->name.empty(),
                                        is_watch(target) && path->subresource.empty()),
                        .kind = kind,
                        .name_space = std::move(path->name_space),
                        .name = std::move(path->name),
                        .subresource = std::move(path->subresource)};
  if (fits(asked, *path)) return asked;
  return not_supported(*kind, asked.subresource,
                       asked.verb.empty() ? std::string_view(request.method) : asked.verb);
}

const Route* find_route(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto matches = [path](const Route& route) {
    if (!route.path.ends_with('/') || route.path == "/") return route.path == path;
    return path.starts_with(route.path) || path == route.path.substr(0, route.path.size() - 1);
  };
  const auto found = std::ranges::find_if(routes, matches);
  return found == routes.end() ? nullptr : &*found;
}

std::string method_verb(std::string_view method) {
  std::string verb(method);
  for (char& c : verb) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return verb == "head" ? "get" : verb;
}

}  // namespace keelson

// Discovery documents from the table of kinds.
#include "api/discovery.h"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/json.h"

namespace keelson {
namespace {

struct Version {
  std::string_view name;
  std::vector<const Kind*> kinds;
};
struct Group {
  std::string_view name;
  std::vector<Version> versions;  // the preferred one first
};

template <typename T>
T& find_or_add(std::vector<T>& list, std::string_view name) {
  auto found = std::ranges::find(list, name, &T::name);
  return found != list.end() ? *found : list.emplace_back(T{name, {}});
}

// In the order in which the table first names them.
std::vector<Group> groups_of(Kinds kinds) {
  std::vector<Group> groups;
  for (const Kind* kind : kinds) {
    Group& group = find_or_add(groups, kind->group);
    find_or_add(group.versions, kind->version).kinds.push_back(kind);
  }
  return groups;
}

json::array strings(const std::vector<std::string_view>& texts) {
  json::array list;
  for (std::string_view text : texts) list.emplace_back(text);
  return list;
}

// --- aggregated

json::object response_kind(std::string_view group, std::string_view version,
                           std::string_view kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

// What a subresource carries: what its row names, else its parent's kind.
json::object response_kind(const Kind& kind, const Subresource& subresource) {
  if (subresource.kind.empty()) return response_kind(kind.group, kind.version, kind.kind);
  if (subresource.version.empty()) {
    return response_kind(kind.group, kind.version, subresource.kind);
  }
  return response_kind(subresource.group, subresource.version, subresource.kind);
}

json::object aggregated_resource(const Kind& kind) {
  json::object resource = {
      {"resource", kind.plural},
      {"responseKind", response_kind(kind.group, kind.version, kind.kind)},
      {"scope", kind.namespaced() ? "Namespaced" : "Cluster"},
      {"singularResource", kind.singular},
      {"verbs", strings(kind.verbs)},
  };
  if (!kind.short_names.empty()) resource["shortNames"] = strings(kind.short_names);
  if (!kind.categories.empty()) resource["categories"] = strings(kind.categories);
  json::array subresources;
  for (const Subresource& subresource : kind.subresources) {
    subresources.push_back(json::object{{"subresource", subresource.name},
                                        {"responseKind", response_kind(kind, subresource)},
                                        {"verbs", strings(subresource.verbs)}});
  }
  if (!subresources.empty()) resource["subresources"] = std::move(subresources);
  return resource;
}

json::object aggregated_group(const Group& group) {
  json::object metadata = {{"creationTimestamp", nullptr}};
  if (!group.name.empty()) metadata["name"] = group.name;
  json::array versions;
  for (const Version& version : group.versions) {
    json::array resources;
    for (const Kind* kind : version.kinds) resources.push_back(aggregated_resource(*kind));
    versions.push_back(json::object{
        {"version", version.name}, {"resources", std::move(resources)}, {"freshness", "Current"}});
  }
  return {{"metadata", std::move(metadata)}, {"versions", std::move(versions)}};
}

// --- plain

json::object group_version(const Group& group, const Version& version) {
  return {{"groupVersion", fmt::format("{}/{}", group.name, version.name)},
          {"version", version.name}};
}

void set_group(json::object& document, const Group& group) {
  document["name"] = group.name;
  json::array versions;
  for (const Version& version : group.versions) versions.push_back(group_version(group, version));
  document["versions"] = std::move(versions);
  document["preferredVersion"] = group_version(group, group.versions.front());
}

json::object api_resource(const Kind& kind) {
  json::object resource = {{"name", kind.plural},
                           {"singularName", kind.singular},
                           {"namespaced", kind.namespaced()},
                           {"kind", kind.kind},
                           {"verbs", strings(kind.verbs)}};
  if (!kind.short_names.empty()) resource["shortNames"] = strings(kind.short_names);
  if (!kind.categories.empty()) resource["categories"] = strings(kind.categories);
  return resource;
}

json::object api_resource(const Kind& kind, const Subresource& subresource) {
  json::object resource = {{"name", fmt::format("{}/{}", kind.plural, subresource.name)},
                           {"singularName", ""},
                           {"namespaced", kind.namespaced()}};
  if (!subresource.version.empty()) {
    if (!subresource.group.empty()) resource["group"] = subresource.group;
    resource["version"] = subresource.version;
  }
  resource["kind"] = subresource.kind.empty() ? kind.kind : subresource.kind;
  resource["verbs"] = strings(subresource.verbs);
  return resource;
}

}  // namespace

std::string aggregated_discovery(Kinds kinds, DiscoveryRoot root, std::string_view version) {
  json::array items;
  for (const Group& group : groups_of(kinds)) {
    if (group.name.empty() == (root == DiscoveryRoot::Core)) {
      items.push_back(aggregated_group(group));
    }
  }
  return to_text(json::object{{"kind", "APIGroupDiscoveryList"},
                              {"apiVersion", fmt::format("apidiscovery.k8s.io/{}", version)},
                              {"metadata", json::object()},
                              {"items", std::move(items)}});
}

std::string aggregated_discovery_media_type(std::string_view version) {
  return fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList",
                     version);
}

std::string api_versions(std::string_view server_address) {
  const json::object server = {{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}};
  return to_text(json::object{{"kind", "APIVersions"},
                              {"versions", json::array{"v1"}},
                              {"serverAddressByClientCIDRs", json::array{server}}});
}

std::string api_group_list(Kinds kinds) {
  json::array list;
  for (const Group& group : groups_of(kinds)) {
    if (group.name.empty()) continue;
    json::object entry;
    set_group(entry, group);
    list.push_back(std::move(entry));
  }
  return to_text(
      json::object{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(list)}});
}

std::optional<std::string> api_group(Kinds kinds, std::string_view group) {
  const std::vector<Group> groups = groups_of(kinds);
  auto found = std::ranges::find(groups, group, &Group::name);
  if (group.empty() || found == groups.end()) return std::nullopt;
  json::object document = {{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  set_group(document, *found);
  return to_text(document);
}

std::optional<std::string> api_resource_list(Kinds kinds, std::string_view group,
                                             std::string_view version) {
  json::array resources;
  std::string group_version;
  for (const Kind* kind : kinds) {
    if (kind->group != group || kind->version != version) continue;
    group_version = kind->api_version();
    resources.push_back(api_resource(*kind));
    for (const Subresource& subresource : kind->subresources) {
      resources.push_back(api_resource(*kind, subresource));
    }
  }
  if (resources.empty()) return std::nullopt;
  json::object document = {{"kind", "APIResourceList"}};
  if (!group.empty()) document["apiVersion"] = "v1";
  document["groupVersion"] = group_version;
  document["resources"] = std::move(resources);
  return to_text(document);
}

}  // namespace keelson

// Objects → files, as kubelet's projections are.
#include "nodeagent/volume_files.h"

#include <set>

#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/secret.pb.h"

namespace keelson {
namespace {

using Items = google::protobuf::RepeatedPtrField<core::KeyToPath>;

constexpr int default_mode = 0644;

struct Bundle {
  std::string what;  // "configmap" or "secret"
  std::string name;
  bool found = false;
  std::map<std::string, std::string> entries;
};

Bundle load(const View& view, std::string what, const std::string& name_space,
            const std::string& name) {
  Bundle bundle{.what = std::move(what), .name = name};
  const bool is_map = bundle.what == "configmap";
  const ObjectPtr object =
      view.get(is_map ? kinds::config_map() : kinds::secret(), name_space, name);
  if (!object) return bundle;
  bundle.found = true;
  if (is_map) {
    const auto message = decode<core::ConfigMap>(*object);
    bundle.entries.insert(message.data().begin(), message.data().end());
    bundle.entries.insert(message.binarydata().begin(), message.binarydata().end());
  } else {
    const auto message = decode<core::Secret>(*object);
    bundle.entries.insert(message.data().begin(), message.data().end());
  }
  return bundle;
}

struct Projection {
  const Items& items;
  bool optional = false;
  int mode = default_mode;
};

Result<> add(const Bundle& bundle, const Projection& projection, VolumeFiles& files) {
  if (!bundle.found) {
    if (projection.optional) return {};
    return fail(Reason::NotFound, "{} \"{}\" not found", bundle.what, bundle.name);
  }
  if (projection.items.empty()) {
    for (const auto& [key, value] : bundle.entries) files[key] = {value, projection.mode};
    return {};
  }
  for (const auto& item : projection.items) {
    const auto found = bundle.entries.find(item.key());
    if (found == bundle.entries.end()) {
      if (projection.optional) continue;
      return fail(Reason::NotFound, "{} \"{}\" references non-existent {} key: {}", bundle.what,
                  bundle.name, bundle.what == "configmap" ? "config" : "secret", item.key());
    }
    files[item.path()] = {found->second, item.has_mode() ? item.mode() : projection.mode};
  }
  return {};
}

const core::Container* find_container(const core::Pod& pod, const std::string& name) {
  for (const auto& container : pod.spec().containers()) {
    if (container.name() == name) return &container;
  }
  for (const auto& container : pod.spec().initcontainers()) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

struct Downward {
  const core::Pod& pod;
  const PodPlace& place;
};

template <typename DownwardItems>
Result<> add_downward(const DownwardItems& items, const Downward& from, int mode,
                      VolumeFiles& files) {
  for (const auto& item : items) {
    Result<std::string> value;
    if (item.has_fieldref()) {
      value = field_value(from.pod, from.place, item.fieldref().fieldpath());
    } else {
      const auto& selector = item.resourcefieldref();
      const core::Container* container = find_container(from.pod, selector.containername());
      if (!container) {
        return fail(Reason::NotFound, "container {} not found", selector.containername());
      }
      value = resource_field_value(*container, from.place, selector);
    }
    if (!value) return std::unexpected(value.error());
    files[item.path()] = {std::move(*value), item.has_mode() ? item.mode() : mode};
  }
  return {};
}

Result<> add_projected(const core::VolumeProjection& source, int mode, const Downward& from,
                       const View& view, VolumeFiles& files) {
  const std::string& name_space = from.pod.metadata().namespace_();
  if (source.has_configmap()) {
    const auto& map = source.configmap();
    return add(load(view, "configmap", name_space, map.localobjectreference().name()),
               {map.items(), map.optional(), mode}, files);
  }
  if (source.has_secret()) {
    const auto& secret = source.secret();
    return add(load(view, "secret", name_space, secret.localobjectreference().name()),
               {secret.items(), secret.optional(), mode}, files);
  }
  if (source.has_downwardapi()) {
    return add_downward(source.downwardapi().items(), from, mode, files);
  }
  return fail(Reason::Invalid, "projected volume source {} is not supported by keelson yet",
              source.has_serviceaccounttoken() ? "serviceAccountToken" : "clusterTrustBundle");
}

}  // namespace

bool is_made_of_objects(const core::Volume& volume) {
  const auto& source = volume.volumesource();
  return source.has_configmap() || source.has_secret() || source.has_downwardapi() ||
         source.has_projected();
}

Result<VolumeFiles> volume_files(const core::Pod& pod, const core::Volume& volume,
                                 const PodPlace& place, const View& view) {
  const auto& source = volume.volumesource();
  const std::string& name_space = pod.metadata().namespace_();
  const Downward from{pod, place};
  VolumeFiles files;
  Result<> added;
  auto mode_of = [](const auto& s) { return s.has_defaultmode() ? s.defaultmode() : default_mode; };
  if (source.has_configmap()) {
    const auto& map = source.configmap();
    added = add(load(view, "configmap", name_space, map.localobjectreference().name()),
                {map.items(), map.optional(), mode_of(map)}, files);
  } else if (source.has_secret()) {
    const auto& secret = source.secret();
    added = add(load(view, "secret", name_space, secret.secretname()),
                {secret.items(), secret.optional(), mode_of(secret)}, files);
  } else if (source.has_downwardapi()) {
    added = add_downward(source.downwardapi().items(), from, mode_of(source.downwardapi()), files);
  } else {
    for (const auto& projected : source.projected().sources()) {
      added = add_projected(projected, mode_of(source.projected()), from, view, files);
      if (!added) break;
    }
  }
  if (!added) return std::unexpected(added.error());
  return files;
}

PodReferences references_of(const core::Pod& pod) {
  std::set<std::string> maps, secrets;
  auto of_container = [&](const core::Container& container) {
    for (const auto& from : container.envfrom()) {
      if (from.has_configmapref()) maps.insert(from.configmapref().localobjectreference().name());
      if (from.has_secretref()) secrets.insert(from.secretref().localobjectreference().name());
    }
    for (const auto& variable : container.env()) {
      const auto& from = variable.valuefrom();
      if (from.has_configmapkeyref()) {
        maps.insert(from.configmapkeyref().localobjectreference().name());
      }
      if (from.has_secretkeyref()) {
        secrets.insert(from.secretkeyref().localobjectreference().name());
      }
    }
  };
  for (const auto& container : pod.spec().initcontainers()) of_container(container);
  for (const auto& container : pod.spec().containers()) of_container(container);
  for (const auto& volume : pod.spec().volumes()) {
    const auto& source = volume.volumesource();
    if (source.has_configmap()) maps.insert(source.configmap().localobjectreference().name());
    if (source.has_secret()) secrets.insert(source.secret().secretname());
    for (const auto& projected : source.projected().sources()) {
      if (projected.has_configmap()) {
        maps.insert(projected.configmap().localobjectreference().name());
      }
      if (projected.has_secret()) {
        secrets.insert(projected.secret().localobjectreference().name());
      }
    }
  }
  return {{maps.begin(), maps.end()}, {secrets.begin(), secrets.end()}};
}

}  // namespace keelson

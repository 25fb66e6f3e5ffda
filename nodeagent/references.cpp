// One reflector an object, counted by the pods that want it.
#include "nodeagent/references.h"

#include "api/kinds.h"
#include "api/proto/core/v1/pod.pb.h"

namespace keelson {

// One object's reflector and the sink that speaks for that object alone.
struct References::Watched final : ReflectorSink {
  Watched(References& o, const Kind& k, const std::string& name_space, const std::string& name)
      : owner(o),
        kind(k),
        key(key_of(name_space, name)),
        reflector(o.source_, k,
                  {.name_space = name_space,
                   .label_selector = {},
                   .field_selector = "metadata.name=" + name},
                  *this) {}

  void put(ObjectPtr object) override {
    const ObjectPtr before = owner.index_.put(object);
    if (!before || before->resource_version != object->resource_version) {
      owner.changed_(object->name_space);
    }
  }
  void erase(std::string_view erased, Revision revision, ObjectPtr) override {
    const auto [name_space, name] = split_key(erased);
    if (owner.index_.erase(kind, name_space, name, revision)) {
      owner.changed_(std::string(name_space));
    }
  }
  std::vector<std::string> keys() const override {
    const auto [name_space, name] = split_key(key);
    if (!owner.index_.get(kind, name_space, name)) return {};
    return {key};
  }

  References& owner;
  const Kind& kind;
  std::string key;
  int wanted_by = 0;
  Reflector reflector;
};

References::References(Reflector::Source source, ObjectIndex& index, Changed changed)
    : source_(source), index_(index), changed_(std::move(changed)) {}

References::~References() = default;

void References::want(const Kind& kind, const std::string& name_space, const std::string& name) {
  auto& watched = watched_[{&kind, name_space, name}];
  if (!watched) watched = std::make_unique<Watched>(*this, kind, name_space, name);
  ++watched->wanted_by;
}

void References::leave(const Kind& kind, const std::string& name_space, const std::string& name) {
  const auto found = watched_.find({&kind, name_space, name});
  if (found == watched_.end() || --found->second->wanted_by > 0) return;
  watched_.erase(found);
  index_.erase(kind, name_space, name, index_.revision());
}

void References::add(const core::Pod& pod) {
  const PodReferences references = references_of(pod);
  const std::string& name_space = pod.metadata().namespace_();
  for (const auto& name : references.config_maps) want(kinds::config_map(), name_space, name);
  for (const auto& name : references.secrets) want(kinds::secret(), name_space, name);
}

void References::remove(const core::Pod& pod) {
  const PodReferences references = references_of(pod);
  const std::string& name_space = pod.metadata().namespace_();
  for (const auto& name : references.config_maps) leave(kinds::config_map(), name_space, name);
  for (const auto& name : references.secrets) leave(kinds::secret(), name_space, name);
}

}  // namespace keelson

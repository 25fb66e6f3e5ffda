// What the registry is made of.
#include "control/registry/registry.h"

#include <algorithm>

#include "control/registry/watch_hub.h"

namespace keelson {

Registry::Registry(Store& store, Loop& loop, Random& random, const Limits& limits,
                   const ServiceRanges& ranges)
    : store_(store),
      loop_(loop),
      random_(random),
      limits_(limits),
      service_addresses_(store, ranges),
      watch_hub_(std::make_unique<WatchHub>(store, loop, limits)) {}

Registry::~Registry() = default;

bool takes(const Target& target, std::string_view verb) {
  const std::string_view name = target.subresource;
  if (name.empty()) return target.kind.has_verb(verb);
  if (name != "status" && name != "scale" && name != "finalize") return false;
  const Subresource* subresource = target.kind.subresource(name);
  return subresource && std::ranges::find(subresource->verbs, verb) != subresource->verbs.end();
}

}  // namespace keelson

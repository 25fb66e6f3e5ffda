// What the registry is made of.
#include "control/registry/registry.h"

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

}  // namespace keelson

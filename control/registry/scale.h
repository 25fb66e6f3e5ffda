// autoscaling/v1 Scale: the one shape in which every kind with replicas shows and takes their
// number.
#pragma once

#include "control/registry/registry.h"

namespace keelson {

// The Scale of an object whose kind has the subresource: spec.replicas, status.replicas and
// spec.selector, found by name in its schema.
Result<ObjectPtr> scale_of(const Object& object);
// Invalid: a Scale that cannot be.
Result<> check_scale(const Message& scale);
void set_replicas(Message& message, const Message& scale);

}  // namespace keelson

// Small objects for tests of store and registry.
#pragma once

#include <string>

#include "api/kinds.h"

namespace keelson {

// namespace/name, with {"value": value} as data, at this revision.
ObjectPtr config_map_object(std::string_view key, std::string_view value, Revision revision);
std::string value_of(const Object& config_map);

}  // namespace keelson

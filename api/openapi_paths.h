// The paths of a kind and what may be done there, as OpenAPI writes them.
#pragma once

#include <boost/json/object.hpp>

#include "api/openapi_schema.h"

namespace keelson {

// Adds the kind's paths, and to `schemas` what they refer to.
void add_openapi_paths(OpenApi version, const Kind& kind, boost::json::object& paths,
                       OpenApiSchemas& schemas);

}  // namespace keelson

// What a plain scalar of YAML means: YAML 1.1 as the Go library reads it that kubectl and the API
// server use (sigs.k8s.io/yaml): yes, no, on and off are booleans, 0644 is octal, a date is a
// string.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/error.h"

namespace keelson {

// tag: "?" for a plain scalar, "!" for a quoted one, or as it was written out
// ("tag:yaml.org,2002:str").
Result<boost::json::value> resolve_yaml_scalar(std::string_view tag, const std::string& text);

// The JSON key that a scalar becomes. Error: null cannot be a key.
Result<std::string> yaml_key(const boost::json::value& scalar);

}  // namespace keelson

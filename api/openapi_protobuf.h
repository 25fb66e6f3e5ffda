// OpenAPI v2 as protobuf.
#pragma once

#include <string>

#include <boost/json/object.hpp>

namespace keelson {

// The same document in gnostic's messages: what clients read of it.
std::string openapi_v2_to_protobuf(const boost::json::object& document);

}  // namespace keelson

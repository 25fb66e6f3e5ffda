// What the .proto files say of their messages and fields in comments: descriptions for OpenAPI and
// `kubectl explain`.
#pragma once

#include <string>
#include <string_view>

namespace keelson {

// Of a message or field by its full name ("k8s.io.api.core.v1.Pod"); empty if there is none. Any
// thread.
std::string_view schema_comment(const std::string& full_name);

}  // namespace keelson

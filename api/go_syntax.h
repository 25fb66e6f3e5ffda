// Values as Go's %#v prints them: what Kubernetes' messages quote for lists, maps and structs.
#pragma once

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "api/types.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class LabelSelector;
}
namespace k8s::io::apimachinery::pkg::util::intstr {
class IntOrString;
}

namespace keelson {

std::string go_syntax(const google::protobuf::RepeatedPtrField<std::string>& list);
std::string go_syntax(const google::protobuf::Map<std::string, std::string>& map);
std::string go_syntax(const meta::LabelSelector& selector);
std::string go_syntax(const intstr::IntOrString& value);

}  // namespace keelson

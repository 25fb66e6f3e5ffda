// Fields that are accepted because Kubernetes accepts them, and that this system does not honour
// yet. Nothing is ignored silently: who sets one is told in a Warning header.
#pragma once

#include <string>
#include <vector>

#include "api/field_errors.h"
#include "api/types.h"

namespace keelson {

// One field. path: "volumes[*].nfs", from the message of the table it stands in; [*] is every item
// of a list, [prefix*] every key of a map that begins so.
struct UnsupportedField {
  std::string_view path;
  std::string_view value = {};  // only when it is this ("true" for a bool, a string as it is)
  std::string_view effect;      // what happens instead: "the pod shares no namespace with its node"
};

// Adds a text for each field of the table that the message sets. `at`: where the message stands.
void warn_of_unsupported_pod_spec(const FieldPath& at, const Message& pod_spec,
                                  std::vector<std::string>& warnings);
void warn_of_unsupported_service_spec(const FieldPath& at, const Message& service_spec,
                                      std::vector<std::string>& warnings);

}  // namespace keelson

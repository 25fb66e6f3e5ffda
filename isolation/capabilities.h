// Capability sets by libcap: names to bits, and what this process can give at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "isolation/spec.h"

namespace keelson::isolation {

std::uint64_t default_capabilities();                         // the 14 that runtimes give
Result<std::uint64_t> capability_bit(std::string_view name);  // "NET_ADMIN" or "CAP_NET_ADMIN"
std::uint64_t bounding_set();                                 // of the calling thread

struct CapabilityChoice {
  std::uint64_t granted = 0;
  std::vector<std::string> refused;  // asked for by name, not in our bounding set: "SYS_RESOURCE"
};
// Invalid: an unknown name. In the order Kubernetes' runtimes have it: add ALL, drop ALL, add the
// named, drop the named.
Result<CapabilityChoice> choose_capabilities(const CapabilitySpec& spec, bool privileged,
                                             std::uint64_t available);

}  // namespace keelson::isolation

// What the API server says it serves, derived from the rows: aggregated discovery, and the plain
// form for older clients. KUBECTL-WIRE §1.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/kinds.h"

namespace keelson {

using Kinds = std::span<const Kind* const>;  // in the order of discovery: see all_kinds()

enum class DiscoveryRoot { Core, Groups };  // GET /api, GET /apis

// APIGroupDiscoveryList; version "v2" or "v2beta1". Clients tell it by its media type.
std::string aggregated_discovery(Kinds kinds, DiscoveryRoot root, std::string_view version);
std::string aggregated_discovery_media_type(std::string_view version);

// Plain JSON. server_address ("10.0.0.1:6443") is where clients of any network may go.
std::string api_versions(std::string_view server_address);  // GET /api
std::string api_group_list(Kinds kinds);                    // GET /apis
// Nothing: there is no such group or version.
std::optional<std::string> api_group(Kinds kinds, std::string_view group);  // GET /apis/G
std::optional<std::string> api_resource_list(Kinds kinds, std::string_view group,
                                             std::string_view version);  // GET /api/v1, /apis/G/V

}  // namespace keelson

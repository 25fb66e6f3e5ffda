// The real kubectl as an oracle: `kubectl patch --local` runs upstream's own patches without a
// server.
#pragma once

#include <string_view>
#include <vector>

#include "api/json.h"

namespace keelson {

bool has_kubectl();  // on the PATH

// Each document, patched. type: "json", "merge", "strategic". The error is kubectl's.
Result<std::vector<json::value>> kubectl_patch(std::string_view type,
                                               const std::vector<json::object>& documents,
                                               const json::value& patch);

}  // namespace keelson

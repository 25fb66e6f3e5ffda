// resourceVersion in queries: "", "0" or a revision.
#pragma once

#include <string_view>

#include "api/object.h"

namespace keelson {

// 0 for "" and "0". BadRequest: not a decimal.
Result<Revision> parse_revision(std::string_view text);

}  // namespace keelson

// An address of the node's own loopback interface, for what only the node and its pods shall reach.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace keelson::proxy {

// Adds the address (/32) to lo of the caller's network namespace; fine if it is there already.
Result<> add_local_address(std::uint32_t address_be);

}  // namespace keelson::proxy

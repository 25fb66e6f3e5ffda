// Bytes in a sealed memfd: what is in it cannot be changed any more, by anyone.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace keelson::isolation {

Result<Fd> sealed_memfd(const char* name, std::string_view bytes);

}  // namespace keelson::isolation

// Terminals from the master's end.
#pragma once

#include "base/error.h"
#include "isolation/spec.h"

namespace keelson::isolation {

Result<> resize_terminal(int master_fd, TerminalSize size);

}  // namespace keelson::isolation

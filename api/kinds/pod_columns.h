// The table of pods: the longest of them, in a file of its own.
#pragma once

#include "api/kinds.h"

namespace keelson {

std::vector<Column> pod_columns();
std::vector<Cell> pod_cells(const Message& pod, WallTime now);

}  // namespace keelson

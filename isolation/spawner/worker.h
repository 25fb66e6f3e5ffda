// The worker: the spawner's inner process, one thread around epoll. Serves clients, is the parent
// of containers, pumps their output.
#pragma once

#include "isolation/spawner/keeper.h"
#include "isolation/spawner/table.h"

namespace keelson::isolation {

// Runs until killed. link: to the keeper. Exit code.
int run_worker(const Places& places, Table& table, FdStore& store, int link);

}  // namespace keelson::isolation

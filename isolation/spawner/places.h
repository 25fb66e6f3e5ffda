// The spawner's surroundings: its folders and socket, opened once, and a mount namespace with
// nothing in it, so that a container's (a copy of it) is quickly made and shows nothing of the
// node.
#pragma once

#include "isolation/spawner/keeper.h"

namespace keelson::isolation {

// 0, or -errno with *what naming the failed step. Waits for the lock while another spawner's worker
// still holds it.
int open_places(const Options& options, Places& places, const char** what);
int slim_mounts(const Options& options, Places& places, const char** what);

}  // namespace keelson::isolation

// An upgrade: the keeper executes the new program in its place, with all it holds.
#pragma once

#include "isolation/spawner/keeper.h"

namespace keelson::isolation {

// Hands over what is held in a memfd and executes the program; -errno if that fails, and all is as
// before.
int exec_and_resume(int program, const Places& places, const FdStore& store, char** argv);
// The new program's side: takes it. 0, or -errno.
int resume(int fd, Places& places, FdStore& store);

}  // namespace keelson::isolation

// The spawner's few words on stderr: it has no log of its own.
#pragma once

namespace keelson::isolation {

// "keelson-spawner: WHAT: error 2 (No such file or directory)". Returns 1, main's exit code.
int complain(const char* what, int result);

}  // namespace keelson::isolation

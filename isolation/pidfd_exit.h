// How a process ended, by a pidfd: Linux 6.15 keeps it for whoever had one open.
#pragma once

namespace keelson::isolation {

// True: it has ended and been reaped; *wait_status as wait(2) gives it. False: it runs, is not
// reaped yet, or this kernel does not say.
bool exit_of_pidfd(int pidfd, int* wait_status);

}  // namespace keelson::isolation

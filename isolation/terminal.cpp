// TIOCSWINSZ.
#include "isolation/terminal.h"

#include <sys/ioctl.h>

#include <cerrno>

namespace keelson::isolation {

Result<> resize_terminal(int master_fd, TerminalSize size) {
  const winsize window{size.rows, size.columns, 0, 0};
  if (ioctl(master_fd, TIOCSWINSZ, &window) < 0) return fail_errno(errno, "resize a terminal");
  return {};
}

}  // namespace keelson::isolation

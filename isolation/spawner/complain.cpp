// One line by one write(2).
#include "isolation/spawner/complain.h"

#include <unistd.h>

#include <cstring>

namespace keelson::isolation {

int complain(const char* what, int result) {
  char line[256] = "keelson-spawner: ";
  const auto add = [&line](const char* text) {
    strncat(line, text, sizeof line - strlen(line) - 2);
  };
  add(what);
  add(": ");
  const char* words = strerrordesc_np(-result);
  add(words == nullptr ? "unknown error" : words);
  strcat(line, "\n");
  return write(STDERR_FILENO, line, strlen(line)) < 0 ? 1 : 1;
}

}  // namespace keelson::isolation

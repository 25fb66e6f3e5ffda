// keelson-spawner: parent of a node's containers. See keeper.h for its two processes, worker.h for
// what it does.
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "isolation/spawner/complain.h"
#include "isolation/spawner/keeper.h"

int main(int argc, char** argv) {
  using namespace keelson::isolation;
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const char* value = argv[i + 1];
    if (strcmp(argv[i], "--socket") == 0) options.socket_path = value;
    if (strcmp(argv[i], "--state") == 0) options.state_folder = value;
    if (strcmp(argv[i], "--logs") == 0) options.log_root = value;
    if (strcmp(argv[i], "--resume") == 0) options.resume = atoi(value);
  }
  if (options.socket_path == nullptr || options.state_folder == nullptr ||
      options.log_root == nullptr) {
    return complain("needs --socket PATH --state FOLDER --logs FOLDER", -22);
  }
  umask(0);
  return run_keeper(options, argv);
}

// keelson version: what this binary is and what it speaks.
#include "cli/version.h"

#include <sys/utsname.h>

#include <cstdio>

#include "cli/subcommand.h"

namespace keelson {

// Set by the build (cli/CMakeLists.txt).
const char* const keelson_version = KEELSON_VERSION;
const char* const keelson_commit = KEELSON_COMMIT;

}  // namespace keelson

namespace keelson::cli {

void add_version(CLI::App& program) {
  CLI::App* command = program.add_subcommand("version", "Print the version, and the kernel's");
  command->callback([] {
    utsname names{};
    ::uname(&names);
    std::printf("keelson %s (%s)\nKubernetes API %s; kubectl 1.27 to 1.33\nLinux %s\n",
                keelson_version, keelson_commit, kubernetes_version, names.release);
  });
}

}  // namespace keelson::cli

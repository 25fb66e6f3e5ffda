// The embedded program and its execution.
#include "isolation/launch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "isolation/memfd.h"

// isolation/spawner_program.S
extern "C" const char keelson_spawner_begin[];
extern "C" const char keelson_spawner_end[];

namespace keelson::isolation {

Result<Fd> spawner_program() {
  return sealed_memfd("keelson-spawner",
                      std::string_view(keelson_spawner_begin, keelson_spawner_end));
}

std::vector<std::string> spawner_arguments(const SpawnerOptions& options) {
  return {"keelson-spawner",    "--socket", options.socket_path, "--state",
          options.state_folder, "--logs",   options.log_root};
}

std::unexpected<Error> exec_spawner(const SpawnerOptions& options) {
  std::error_code error;
  for (const auto* path : {&options.socket_path, &options.state_folder, &options.log_root}) {
    std::filesystem::create_directories(std::filesystem::path(*path).parent_path(), error);
  }
  auto program = spawner_program();
  if (!program) return program.error().during("start the spawner");
  auto arguments = spawner_arguments(options);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execveat(program->get(), "", argv.data(), environ, AT_EMPTY_PATH);
  return fail_errno(errno, "execute the spawner");
}

}  // namespace keelson::isolation

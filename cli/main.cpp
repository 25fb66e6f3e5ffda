// keelson: one binary, its subcommands in one table.
#include <cstdio>

#include "cli/subcommand.h"

namespace keelson::cli {

void fail_with(const std::string& who, const std::string& message, int code) {
  std::fprintf(stderr, "keelson %s: %s\n", who.c_str(), message.c_str());
  throw CLI::RuntimeError(code);
}

}  // namespace keelson::cli

int main(int argc, char** argv) {
  using namespace keelson::cli;
  CLI::App program("A small Kubernetes: kubectl above, the kernel below, nothing in between.",
                   "keelson");
  program.require_subcommand(1);
  program.get_formatter()->column_width(34);
  constexpr Add table[] = {add_server, add_version};
  for (const Add add : table) add(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // RuntimeErrors have printed their line; the rest is help, or what is wrong with the arguments.
    return dynamic_cast<const CLI::RuntimeError*>(&error) ? error.get_exit_code()
                                                          : program.exit(error);
  }
  return 0;
}

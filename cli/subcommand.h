// A subcommand: one file, one row in main.cpp.
#pragma once

#include <CLI/CLI.hpp>

namespace keelson::cli {

// Adds itself to the program: options, help, and what to do as its callback. What fails is thrown
// as CLI::RuntimeError with an exit code after its one line was printed (see fail_with).
using Add = void (*)(CLI::App& program);

void add_agent(CLI::App& program);
void add_image(CLI::App& program);
void add_lab(CLI::App& program);
void add_lab_init(CLI::App& program);
void add_server(CLI::App& program);
void add_version(CLI::App& program);

// "keelson server: MESSAGE" on stderr, then out with this exit code.
[[noreturn]] void fail_with(const std::string& who, const std::string& message, int code = 1);

}  // namespace keelson::cli

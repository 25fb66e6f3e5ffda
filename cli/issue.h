// Subcommands of `keelson server` that hand out credentials.
#pragma once

#include <CLI/CLI.hpp>

namespace keelson::cli {

void add_issue(CLI::App& server);

}  // namespace keelson::cli

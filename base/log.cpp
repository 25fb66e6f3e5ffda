// Logs through spdlog; values with blanks or quotes are quoted, so that a line can be taken apart
// again.
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace keelson {
namespace {

spdlog::logger& logger() {
  // The one process-wide object: a log has one end. Leaked on purpose, so that late threads may
  // log.
  static auto* const instance = [] {
    auto* made = new spdlog::logger("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      break;
  }
  return spdlog::level::err;
}

void append_value(std::string& line, std::string_view value) {
  if (!value.empty() && value.find_first_of(" \"=\n\t") == std::string_view::npos) {
    line += value;
    return;
  }
  line += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  const auto at = level_of(level);
  if (!logger().should_log(at)) return;
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  logger().log(at, "{}", line);
}

void set_log_level(LogLevel level) {
  logger().set_level(level_of(level));
}

void set_log_component(std::string component) {
  logger().set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l " + component + ": %v",
                       spdlog::pattern_time_type::utc);
}

}  // namespace keelson

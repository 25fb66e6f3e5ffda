// Logs as key=value lines on stderr: one per event, with what a reader would grep for.
#pragma once

#include <fmt/core.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace keelson {

enum class LogLevel { Debug, Info, Warn, Error };

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view k, Number v) : key(k), value(fmt::format("{}", v)) {}
};

// log(LogLevel::Info, "pod started", {{"pod", key}, {"pid", pid}});
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

void set_log_level(LogLevel level);
// Put before every line from now on: which component of which node speaks ("agent node-1").
void set_log_component(std::string component);

inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Info, message, fields);
}
inline void log_warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Warn, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::Error, message, fields);
}

}  // namespace keelson

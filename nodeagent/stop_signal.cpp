// Names by the C library.
#include "nodeagent/stop_signal.h"

#include <charconv>
#include <csignal>
#include <cstring>

namespace keelson {

int parse_stop_signal(const std::string& text) {
  std::string name = text.starts_with("SIG") ? text.substr(3) : text;
  int number = 0;
  const char* end = name.data() + name.size();
  if (auto parsed = std::from_chars(name.data(), end, number); parsed.ptr == end && number > 0) {
    return number < NSIG ? number : SIGTERM;
  }
  if (name.starts_with("RTMIN+")) {
    std::from_chars(name.data() + 6, end, number);
    return SIGRTMIN + number <= SIGRTMAX ? SIGRTMIN + number : SIGTERM;
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known && name == known) return signal;
  }
  return SIGTERM;
}

}  // namespace keelson

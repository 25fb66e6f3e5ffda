// An image's StopSignal: "SIGINT", "INT", "2", "RTMIN+3".
#pragma once

#include <string>

namespace keelson {

int parse_stop_signal(const std::string& text);  // SIGTERM for what is empty or none

}  // namespace keelson

// A container's last words: what it wrote to its terminationMessagePath, or the end of its log.
#pragma once

#include <string>

namespace keelson {

struct MessageSource {
  std::string file;      // what is mounted at terminationMessagePath
  std::string log_path;  // asked if the file is empty, it failed and the policy says so
  bool fall_back_to_log = false;
};

// Valid UTF-8; at most 4096 bytes, of a log 2048 and 80 lines (Kubernetes' bounds). Never fails:
// what cannot be read is no message.
std::string read_termination_message(const MessageSource& source);

}  // namespace keelson

// The two faces of the demo image.
#pragma once

#include <cstdint>

namespace hello {

// Answers every HTTP request on the port with who it is and who asked; ends at once on SIGTERM.
int serve(std::uint16_t port);

struct LoadOptions {
  const char* host = nullptr;
  const char* port = "80";
  int rate = 2'000;           // new connections a second, whether answers come or not
  int seconds = 0;            // 0: until SIGINT or SIGTERM
  int timeout_ms = 1'000;     // a request without a whole answer by then has failed
  bool each_failure = false;  // one line a failure, as it happens
};
// One connection a request, opened on schedule. Prints counts; exit 0 if nothing failed, else 1.
int load(const LoadOptions& options);

}  // namespace hello

// hello: `hello` serves on port 8080, `hello load URL` puts load on a server.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "lab/hello/hello.h"

namespace {

constexpr const char* usage =
    "hello [--port N]                         answer HTTP on a port (8080)\n"
    "hello load [options] HOST[:PORT]         open new connections at a fixed rate\n"
    "  --rate N        connections a second (2000)\n"
    "  --for N         seconds; without it until SIGINT or SIGTERM\n"
    "  --timeout N     milliseconds until a request has failed (1000)\n"
    "  --verbose       one line for each failure\n";

int refuse(const char* what) {
  std::fprintf(stderr, "hello: %s\n%s", what, usage);
  return 2;
}

// A positive number up to most, or -1.
int number(const char* text, int most) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  return *text != 0 && *end == 0 && value > 0 && value <= most ? static_cast<int>(value) : -1;
}

// Splits "http://HOST:PORT/" in place.
void take_address(char* text, hello::LoadOptions& options) {
  constexpr std::string_view scheme = "http://";
  if (std::string_view(text).starts_with(scheme)) text += scheme.size();
  if (char* slash = std::strchr(text, '/')) *slash = 0;
  if (char* colon = std::strrchr(text, ':')) {
    *colon = 0;
    options.port = colon + 1;
  }
  options.host = text;
}

int run_load(int count, char** arguments) {
  hello::LoadOptions options;
  for (int i = 0; i < count; ++i) {
    const std::string_view argument = arguments[i];
    int* target = argument == "--rate"      ? &options.rate
                  : argument == "--for"     ? &options.seconds
                  : argument == "--timeout" ? &options.timeout_ms
                                            : nullptr;
    if (target) {
      *target = ++i < count ? number(arguments[i], 1'000'000) : -1;
      if (*target < 0) return refuse("an option wants a number from 1 to 1000000");
    } else if (argument == "--verbose") {
      options.each_failure = true;
    } else if (argument.starts_with("-") || options.host) {
      return refuse("load takes one address and the options below");
    } else {
      take_address(arguments[i], options);
    }
  }
  return options.host ? hello::load(options) : refuse("load wants an address");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == "load") return run_load(argc - 2, argv + 2);
  int port = 8080;
  if (argc == 3 && std::string_view(argv[1]) == "--port") {
    port = number(argv[2], 65'535);
    if (port < 0) return refuse("a port is a number from 1 to 65535");
  } else if (argc != 1) {
    return refuse("unknown arguments");
  }
  return hello::serve(static_cast<std::uint16_t>(port));
}

// The HTTP edge alone: requests per second of one server core by wrk (apt-get install wrk), bare
// and under TLS, and the memory of an idle connection. Usage: http_bench [SECONDS]
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/http_server.h"
#include "base/net.h"
#include "base/socket.h"
#include "base/x509.h"

using namespace keelson;

namespace {

constexpr int idle_connections = 2000;
constexpr std::size_t answer_bytes = 1024;

void pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

// Serves until its parent ends.
[[noreturn]] void serve(int write_end, const TlsContextPtr& tls) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin_to(0);
  IoThreads threads(1);
  auto body = make_bytes(std::string(answer_bytes, 'x'));
  auto handler = [body](std::unique_ptr<Exchange> exchange) {
    exchange->respond({.headers = {{"Content-Type", "application/json"}}, .body = {body}});
  };
  HttpServer bare(threads, {}, handler);
  HttpServer secure(threads, {.tls = tls}, handler);
  const std::string line = *bare.listen("127.0.0.1:0") + " " + *secure.listen("127.0.0.1:0") + "\n";
  if (::write(write_end, line.data(), line.size()) < 0) std::abort();
  for (;;) ::pause();
}

double resident_kb(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6);
  }
  return 0;
}

double cpu_seconds(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string field;
  double ticks = 0;
  for (int i = 1; i <= 15 && stat >> field; ++i) {
    if (i >= 14) ticks += std::atof(field.c_str());  // utime, stime
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Load {
  const char* name;
  int connections;
  std::string url;
  int seconds;
};

// The last column does not depend on what else the machine does.
void wrk(const Load& load, pid_t server) {
  const double cpu_before = cpu_seconds(server);
  const std::string command = "taskset -c 1 wrk -t1 -c" + std::to_string(load.connections) + " -d" +
                              std::to_string(load.seconds) + "s --latency " + load.url + " 2>&1";
  FILE* out = ::popen(command.c_str(), "r");
  std::string p50 = "-", p99 = "-", rate = "-";
  char first[64], second[64], line[512];
  while (::fgets(line, sizeof(line), out) != nullptr) {
    if (std::sscanf(line, " %63s %63s", first, second) != 2) continue;
    if (std::string_view(first) == "50%") p50 = second;
    if (std::string_view(first) == "99%") p99 = second;
    if (std::string_view(first) == "Requests/sec:") rate = second;
  }
  ::pclose(out);
  const double requests = std::atof(rate.c_str()) * load.seconds;
  std::printf("%-6s %12d %12s %10s %10s %18.0f\n", load.name, load.connections, rate.c_str(),
              p50.c_str(), p99.c_str(), requests / (cpu_seconds(server) - cpu_before));
}

void wait_for(int fd, short what) {
  pollfd poll{fd, what, 0};
  ::poll(&poll, 1, 10'000);
}

// A connection that has had one answer and asks no more.
Socket use_once(const std::string& address, const TlsContextPtr& tls) {
  Fd fd = std::move(*start_connect(address));
  wait_for(fd.get(), POLLOUT);
  Socket socket = tls ? Socket(std::move(fd), tls, "127.0.0.1") : Socket(std::move(fd));
  while (socket.handshake() == Socket::Status::WantRead) wait_for(socket.fd(), POLLIN);
  std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const iovec piece{request.data(), request.size()};
  socket.write(std::span(&piece, 1));
  char answer[4096];
  while (socket.read(answer, sizeof(answer)).status == Socket::Status::WantRead) {
    wait_for(socket.fd(), POLLIN);
  }
  return socket;
}

void idle(const char* name, pid_t server, const std::string& address, const TlsContextPtr& tls) {
  const double before = resident_kb(server);
  std::vector<Socket> sockets;
  for (int i = 0; i < idle_connections; ++i) sockets.push_back(use_once(address, tls));
  ::usleep(300'000);
  std::printf("%-6s %5.1f kB each of %d idle connections\n", name,
              (resident_kb(server) - before) / idle_connections, idle_connections);
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 4;
  const rlimit files{20'000, 20'000};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const WallTime now = std::chrono::system_clock::now();
  auto authority = CertificateAuthority::make("bench", now);
  const std::string ca = authority->identity().certificate_pem;
  auto server_tls = make_tls_context(TlsServerConfig{
      .identity =
          *authority->issue({.common_name = "s", .names = {"127.0.0.1"}, .server = true}, now),
      .client_ca_pem = ca});
  auto client_tls = make_tls_context(TlsClientConfig{.ca_pem = ca});
  int ends[2];
  if (::pipe(ends) != 0) return 1;
  const pid_t server = ::fork();
  if (server == 0) serve(ends[1], *server_tls);
  char line[256] = "", bare[128], secure[128];
  if (::read(ends[0], line, sizeof(line) - 1) <= 0) return 1;
  if (std::sscanf(line, "%127s %127s", bare, secure) != 2) return 1;
  idle("bare", server, bare, nullptr);
  idle("TLS", server, secure, *client_tls);
  std::printf("%-6s %12s %12s %10s %10s %18s\n", "", "connections", "requests/s", "p50", "p99",
              "per CPU second");
  for (const int connections : {1, 64}) {
    wrk({"bare", connections, std::string("http://") + bare + "/", seconds}, server);
    wrk({"TLS", connections, std::string("https://") + secure + "/", seconds}, server);
  }
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
}

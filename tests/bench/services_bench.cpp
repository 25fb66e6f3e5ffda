// What a Service costs: connect-request-close through a ClusterIP against a direct connection, in
// the same run and the same namespaces, among 1, 1,000 and 10,000 Services; and what changes of
// Services cost. Usage: services_bench [SECONDS a block [ROUNDS]]. Needs root.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "tests/bpf/node.h"
#include "tests/bpf/pod_world.h"

using namespace keelson;
using namespace keelson::proxy;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr int cpu = 1;  // client and servers share it: 1e6 / rate is the CPU time of a transaction

void pin() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

double microseconds(SteadyClock::duration span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

sockaddr_in address_of(const Target& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(target.port));
  ::inet_pton(AF_INET, target.address.c_str(), &address.sin_addr);
  return address;
}

// One byte for one byte, then closed by the client: one connection after the other.
void serve_bytes(const std::function<void()>& ready) {
  pin();
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = address_of({"0.0.0.0", 9'090});
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener.get(), 1'024) != 0)
    return;
  ready();
  for (;;) {
    const Fd connection(::accept(listener.get(), nullptr, nullptr));
    char byte = 0;
    while (::read(connection.get(), &byte, 1) == 1) (void)!::write(connection.get(), &byte, 1);
  }
}

struct Rate {
  double per_second = 0, p50_us = 0, p99_us = 0;
};

std::string connect_request_close(const std::vector<Target>& targets, double seconds) {
  pin();
  std::vector<double> taken_us;
  const auto start = SteadyClock::now();
  const int on = 1;
  for (std::size_t i = 0; microseconds(SteadyClock::now() - start) < seconds * 1e6; ++i) {
    const auto begin = SteadyClock::now();
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const sockaddr_in address = address_of(targets[i % targets.size()]);
    char byte = 'x';
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
            0 ||
        ::write(socket.get(), &byte, 1) != 1 || ::read(socket.get(), &byte, 1) != 1)
      return "failed";
    taken_us.push_back(microseconds(SteadyClock::now() - begin));
  }
  const double total_us = microseconds(SteadyClock::now() - start);
  std::ranges::sort(taken_us);
  return fmt::format("{} {} {}", static_cast<double>(taken_us.size()) * 1e6 / total_us,
                     taken_us[taken_us.size() / 2], taken_us[taken_us.size() * 99 / 100]);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string address_of_service(int number) {
  return fmt::format("10.96.{}.{}", 1 + number / 250, 1 + number % 250);
}

class Bench {
 public:
  Bench(double seconds, int rounds) : seconds_(seconds), rounds_(rounds) {
    for (int i = 1; i <= PodWorld::pods; ++i) {
      const std::string pod = fmt::format("pod{}", i);
      world_.sandbox.serve(pod, serve_bytes);
      pods_.push_back({fmt::format("10.88.{}.2", i), 9'090});
      sysctl(pod, "tcp_max_tw_buckets", "8");
    }
    sysctl("client", "tcp_max_tw_buckets", "8");
    sysctl("client", "ip_local_port_range", "1024 65535");
    const auto begin = SteadyClock::now();
    node_.emplace(world_.sandbox, "node", world_.settings());
    fmt::print("programs loaded and attached: {:.1f} ms\n",
               microseconds(SteadyClock::now() - begin) / 1e3);
    node_->write({{front("10.96.0.10", 80), row()}});
  }

  void connections() {
    std::map<int, std::vector<double>> rates, ratios, p50, p99;
    int services = 1;
    for (const int count : {1, 1'000, 10'000}) {
      fill(services, count);
      services = count;
      for (int i = 0; i < rounds_; ++i) {
        const Rate direct = run(pods_), service = run({{"10.96.0.10", 80}});
        for (const auto& [key, rate] : {std::pair(0, direct), std::pair(count, service)}) {
          rates[key].push_back(rate.per_second);
          p50[key].push_back(rate.p50_us);
          p99[key].push_back(rate.p99_us);
        }
        ratios[count].push_back(service.per_second / direct.per_second);
      }
    }
    fmt::print("{:<22}{:>12}{:>10}{:>10}{:>18}\n", "connect-request-close", "per second", "p50 us",
               "p99 us", "of direct");
    for (const auto& [key, values] : rates)
      fmt::print("{:<22}{:>12.0f}{:>10.1f}{:>10.1f}{:>18.3f}\n",
                 key == 0 ? "direct" : fmt::format("{} services", key), median(values),
                 median(p50[key]), median(p99[key]), key == 0 ? 1.0 : median(ratios[key]));
  }

  void changes() {
    std::vector<double> adds_us;
    for (int i = 0; i < 1'000; ++i) {
      const RowChanges change = {{front(address_of_service(20'000 + i), 80), row()}};
      const auto begin = SteadyClock::now();
      node_->write(change);
      adds_us.push_back(microseconds(SteadyClock::now() - begin));
    }
    std::ranges::sort(adds_us);
    fmt::print("one service of 3 into 10,000: p50 {:.1f} us, p99 {:.1f} us, {:.0f} a second\n",
               adds_us[500], adds_us[990], 1e6 / median(adds_us));
    node_->clear();
    RowChanges all;
    for (int i = 0; i < 10'000; ++i) all[front(address_of_service(i), 80)] = row();
    auto begin = SteadyClock::now();
    node_->write(all);
    fmt::print("10,000 services of 3 at once: {:.1f} ms\n",
               microseconds(SteadyClock::now() - begin) / 1e3);
    begin = SteadyClock::now();
    (void)node_->writer().read_back();
    fmt::print("read back: {:.1f} ms\n", microseconds(SteadyClock::now() - begin) / 1e3);
    begin = SteadyClock::now();
    node_->write(all);
    fmt::print("the same again (nothing to write): {:.1f} ms\n",
               microseconds(SteadyClock::now() - begin) / 1e3);
  }

 private:
  ServiceRow row() const {
    return {.backends = backends_at({"10.88.1.2", "10.88.2.2", "10.88.3.2"}, 9'090)};
  }
  void fill(int from, int to) {
    RowChanges changes;
    for (int i = from; i < to; ++i) changes[front(address_of_service(i), 80)] = row();
    node_->write(changes);
  }
  void sysctl(const std::string& net_namespace, const char* name, const char* value) {
    world_.sandbox.sysctl(net_namespace, name, value);
  }
  Rate run(const std::vector<Target>& targets) {
    const std::string answer =
        world_.as_client([&] { return connect_request_close(targets, seconds_); });
    Rate rate;
    if (std::sscanf(answer.c_str(), "%lf %lf %lf", &rate.per_second, &rate.p50_us, &rate.p99_us) !=
        3) {
      fmt::print(stderr, "a connection failed: {}\n", answer);
      std::exit(1);
    }
    return rate;
  }

  double seconds_;
  int rounds_;
  PodWorld world_;
  std::vector<Target> pods_;
  std::optional<TestNode> node_;
};

}  // namespace

int main(int argc, char** argv) {
  if (cannot_test_programs()) return 77;
  Bench bench(argc > 1 ? std::atof(argv[1]) : 1.0, argc > 2 ? std::atoi(argv[2]) : 5);
  bench.connections();
  bench.changes();
  return 0;
}

// An open-loop load generator: a new connection on every tick of the schedule, whether the last was
// answered or not, so that a stall shows as failures and not as a pause.
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "lab/hello/hello.h"

namespace hello {
namespace {

constexpr std::size_t open_max = 20'000;  // more at once means nobody answers
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t bucket_ns = 10'000;  // latencies are told to 10 µs, up to 1 s
volatile std::sig_atomic_t stopped = 0;

std::int64_t now_ns() {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * second_ns + at.tv_nsec;
}

struct Request {
  std::int64_t started_ns = 0;
  bool sent = false;
  std::string answer;
};

// Names are looked up again each second: a Service may move, its name stays.
class Resolver {
 public:
  explicit Resolver(const LoadOptions& options) : options_(options) {}
  // Null while the name does not resolve.
  const sockaddr_in* address() {
    const std::int64_t now = now_ns();
    if (now - looked_up_ns_ < second_ns && looked_up_ns_ != 0) return known_ ? &address_ : nullptr;
    looked_up_ns_ = now;
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    known_ = ::getaddrinfo(options_.host, options_.port, &hints, &found) == 0;
    if (known_) {
      std::memcpy(&address_, found->ai_addr, sizeof address_);
      ::freeaddrinfo(found);
    }
    return known_ ? &address_ : nullptr;
  }

 private:
  const LoadOptions& options_;
  sockaddr_in address_{};
  std::int64_t looked_up_ns_ = 0;
  bool known_ = false;
};

class Generator {
 public:
  explicit Generator(const LoadOptions& options)
      : options_(options),
        resolver_(options),
        text_(std::string("GET / HTTP/1.1\r\nHost: ") + options.host +
              "\r\nConnection: close\r\n\r\n") {}

  int run() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    began_ns_ = now_ns();
    const std::int64_t end_ns =
        options_.seconds > 0 ? began_ns_ + options_.seconds * second_ns : INT64_MAX;
    while (!stopped && now_ns() < end_ns) {
      open_due();
      wait(next_due_ns());
      expire();
    }
    const std::int64_t last_ns = now_ns() + options_.timeout_ms * 1'000'000LL;
    while (!open_.empty() && now_ns() < last_ns) {
      wait(last_ns);
      expire();
    }
    report();
    return failed_ == 0 ? 0 : 1;
  }

 private:
  std::int64_t next_due_ns() const {
    return began_ns_ + static_cast<std::int64_t>(started_) * second_ns / options_.rate;
  }

  void open_due() {
    while (next_due_ns() <= now_ns() && !stopped) open_one();
  }

  void open_one() {
    const std::int64_t started_ns = next_due_ns();
    ++started_;
    const sockaddr_in* address = resolver_.address();
    if (!address) return fail("name does not resolve");
    if (open_.size() >= open_max) return fail("too many open");
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(std::strerror(errno));
    if (::connect(fd, reinterpret_cast<const sockaddr*>(address), sizeof *address) != 0 &&
        errno != EINPROGRESS) {
      fail(std::strerror(errno));
      ::close(fd);
      return;
    }
    open_[fd] = Request{.started_ns = started_ns, .sent = false, .answer = {}};
    order_.push_back({started_ns, fd});
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void wait(std::int64_t until_ns) {
    epoll_event events[256];
    const std::int64_t left_ns = std::clamp<std::int64_t>(until_ns - now_ns(), 0, second_ns / 10);
    const timespec left{.tv_sec = 0, .tv_nsec = static_cast<long>(left_ns)};
    const int count = ::epoll_pwait2(epoll_, events, 256, &left, nullptr);
    for (int i = 0; i < count; ++i) advance(events[i].data.fd);
  }

  void advance(int fd) {
    auto at = open_.find(fd);
    if (at == open_.end()) return;
    Request& request = at->second;
    if (!request.sent) {
      const ssize_t sent = ::send(fd, text_.data(), text_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) return end(fd, std::strerror(errno));
      request.sent = true;
    }
    char buffer[4096];
    ssize_t got;
    while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
      if (request.answer.size() < sizeof buffer) {
        request.answer.append(buffer, static_cast<std::size_t>(got));
      }
    }
    if (got == 0) return end(fd, request.answer.starts_with("HTTP/1.1 200") ? "" : "no answer");
    if (errno != EAGAIN) end(fd, std::strerror(errno));
  }

  void end(int fd, const char* failure) {
    auto at = open_.find(fd);
    if (*failure) {
      fail(failure);
    } else {
      count_latency(now_ns() - at->second.started_ns);
      const std::string& answer = at->second.answer;
      const std::size_t body = answer.find("\r\n\r\n");
      const std::size_t version = answer.find("version ", body);
      if (version != std::string::npos) {
        ++versions_[answer.substr(version + 8, answer.find(' ', version + 8) - version - 8)];
      }
    }
    open_.erase(at);
    ::close(fd);
  }

  void expire() {
    const std::int64_t oldest_ns = now_ns() - options_.timeout_ms * 1'000'000LL;
    while (!order_.empty() && order_.front().first <= oldest_ns) {
      const auto [started_ns, fd] = order_.front();
      order_.pop_front();
      auto at = open_.find(fd);  // the number may be another request's by now
      if (at != open_.end() && at->second.started_ns == started_ns) end(fd, "timed out");
    }
  }

  void fail(const char* why) {
    const double at = static_cast<double>(now_ns() - began_ns_) / 1e9;
    if (failed_++ == 0) first_failure_s_ = at;
    last_failure_s_ = at;
    ++failures_[why];
    if (options_.each_failure) std::printf("load: failed at %.3f s: %s\n", at, why);
  }

  void count_latency(std::int64_t latency_ns) {
    const auto bucket = static_cast<std::size_t>(latency_ns / bucket_ns);
    ++latencies_[std::min(bucket, latencies_.size() - 1)];
    ++answered_;
  }

  double percentile_ms(double part) const {
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(answered_));
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while (bucket + 1 < latencies_.size() && (seen += latencies_[bucket]) < wanted) ++bucket;
    return answered_ == 0 ? 0 : static_cast<double>(bucket) * bucket_ns / 1e6;
  }

  void report() {
    std::printf("load: %llu requests, %llu failed, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
                static_cast<unsigned long long>(started_), static_cast<unsigned long long>(failed_),
                percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1.0));
    for (const auto& [version, count] : versions_) {
      std::printf("load: version %s answered %llu\n", version.c_str(),
                  static_cast<unsigned long long>(count));
    }
    for (const auto& [why, count] : failures_) {
      std::printf("load: failed %llu: %s\n", static_cast<unsigned long long>(count), why.c_str());
    }
    if (failed_ > 0) {
      std::printf("load: failures from %.3f s to %.3f s\n", first_failure_s_, last_failure_s_);
    }
  }

  const LoadOptions& options_;
  Resolver resolver_;
  std::string text_;
  int epoll_ = -1;
  std::int64_t began_ns_ = 0;
  std::uint64_t started_ = 0, failed_ = 0;
  double first_failure_s_ = 0, last_failure_s_ = 0;
  std::unordered_map<int, Request> open_;
  std::deque<std::pair<std::int64_t, int>> order_;  // by start, for timeouts
  std::map<std::string, std::uint64_t> failures_, versions_;
  std::uint64_t answered_ = 0;
  std::vector<std::uint64_t> latencies_ =
      std::vector<std::uint64_t>(100'000);  // by bucket_ns; last: more
};

void stop(int) {
  stopped = 1;
}

}  // namespace

int load(const LoadOptions& options) {
  std::signal(SIGTERM, stop);
  std::signal(SIGINT, stop);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return Generator(options).run();
}

}  // namespace hello

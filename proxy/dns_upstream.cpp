// Queries under way to other resolvers.
#include "proxy/dns_upstream.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"

namespace keelson::proxy {
namespace {

std::int64_t modification_time_ns(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return -1;
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

struct DnsUpstream::Query {
  DnsBytes wire;             // with a number of its own
  std::uint16_t number = 0;  // the asker's
  DnsTransport transport = DnsTransport::Udp;
  Done done;
  Instant deadline{};
  std::size_t next_nameserver = 0;
  std::string last_error = "no resolver is configured";
  DnsBytes received;  // by TCP, with its length in front
  Fd socket;          // before the watches: they end first
  Pending readable, writable, timer;
};

DnsUpstream::DnsUpstream(SystemLoop& loop, Random& random, Settings settings)
    : loop_(loop), random_(random), settings_(std::move(settings)) {}

DnsUpstream::~DnsUpstream() = default;

void DnsUpstream::ask(DnsBytes query, DnsTransport transport, Done done) {
  const std::uint64_t key = next_key_++;
  auto& entry = queries_[key] = std::make_unique<Query>();
  entry->number = dns_number(query);
  entry->wire = std::move(query);
  entry->transport = transport;
  entry->done = std::move(done);
  entry->deadline = loop_.clock().now() + settings_.timeout;
  if (queries_.size() > settings_.queries_max)
    return finish(key, fail(Reason::TooManyRequests, "{} questions to resolvers are in flight",
                            settings_.queries_max));
  set_dns_number(entry->wire, static_cast<std::uint16_t>(random_.next()));
  read_configuration();
  attempt(key);
}

void DnsUpstream::read_configuration() {
  const Instant now = loop_.clock().now();
  if (configuration_read_ != Instant{} &&
      now - configuration_read_ < settings_.resolv_conf_check_after)
    return;
  configuration_read_ = now;
  const std::int64_t changed_ns = modification_time_ns(settings_.resolv_conf);
  if (changed_ns == configuration_changed_ns_ && changed_ns != -1) return;
  configuration_changed_ns_ = changed_ns;
  const auto text = read_resolv_conf(settings_.resolv_conf);
  if (!text) log_warn("other names cannot be resolved", {{"error", text.error().message}});
  nameservers_ = text ? parse_resolv_conf(*text, settings_.port) : std::vector<Nameserver>{};
  if (settings_.is_own) std::erase_if(nameservers_, settings_.is_own);
}

// The next resolver that can be sent to.
void DnsUpstream::attempt(std::uint64_t key) {
  Query& query = *queries_.at(key);
  query.readable.reset();
  query.writable.reset();
  query.received.clear();
  while (query.next_nameserver < nameservers_.size()) {
    const Duration left = query.deadline - loop_.clock().now();
    if (left <= 0s) break;
    if (!connect(key, query, nameservers_[query.next_nameserver++])) continue;
    query.timer = loop_.after(std::min(left, settings_.attempt_timeout), [this, key] {
      queries_.at(key)->last_error = "timed out";
      attempt(key);
    });
    return;
  }
  finish(key, fail(Reason::ServiceUnavailable, "{}", query.last_error));
}

bool DnsUpstream::connect(std::uint64_t key, Query& query, const Nameserver& nameserver) {
  const bool is_tcp = query.transport == DnsTransport::Tcp;
  query.socket =
      Fd(::socket(nameserver.address.ss_family,
                  (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&nameserver.address);
  const bool begun =
      query.socket &&
      (::connect(query.socket.get(), address, nameserver.length) == 0 || errno == EINPROGRESS);
  const bool sent =
      begun && (is_tcp || ::send(query.socket.get(), query.wire.data(), query.wire.size(), 0) >= 0);
  if (!sent) {
    query.last_error = nameserver.text + ": " + errno_text(errno);
    return false;
  }
  // One watch at a time: that is what a loop has for a descriptor.
  if (is_tcp)
    query.writable = loop_.on_writable(query.socket.get(), [this, key] { send_by_tcp(key); });
  else
    query.readable = loop_.on_readable(query.socket.get(), [this, key] { receive(key); });
  return true;
}

void DnsUpstream::send_by_tcp(std::uint64_t key) {
  Query& query = *queries_.at(key);
  query.writable.reset();
  DnsBytes framed = {static_cast<std::uint8_t>(query.wire.size() >> 8),
                     static_cast<std::uint8_t>(query.wire.size())};
  framed.insert(framed.end(), query.wire.begin(), query.wire.end());
  // A new connection's buffer takes a question at once; if not, something is wrong with it.
  const ssize_t sent = ::send(query.socket.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(framed.size())) {
    query.readable = loop_.on_readable(query.socket.get(), [this, key] { receive(key); });
    return;
  }
  query.last_error = sent < 0 ? errno_text(errno) : "connection takes no question";
  attempt(key);
}

void DnsUpstream::receive(std::uint64_t key) {
  Query& query = *queries_.at(key);
  if (query.transport == DnsTransport::Tcp)
    receive_stream(key, query);
  else
    receive_datagram(key, query);
}

void DnsUpstream::receive_datagram(std::uint64_t key, Query& query) {
  DnsBytes response(dns_tcp_bytes_max);
  const ssize_t length = ::recv(query.socket.get(), response.data(), response.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length < 0) {  // ICMP said that nobody is there
    query.last_error = errno_text(errno);
    return attempt(key);
  }
  response.resize(static_cast<std::size_t>(length));
  if (dns_answers(query.wire, response)) finish(key, std::move(response));
}

void DnsUpstream::receive_stream(std::uint64_t key, Query& query) {
  std::array<std::uint8_t, 16'384> buffer{};
  const ssize_t length = ::recv(query.socket.get(), buffer.data(), buffer.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    query.last_error = length < 0 ? errno_text(errno) : "closed without an answer";
    return attempt(key);
  }
  auto& received = query.received;
  received.insert(received.end(), buffer.begin(), buffer.begin() + length);
  if (received.size() < 2) return;
  const std::size_t size = static_cast<std::size_t>(received[0]) << 8 | received[1];
  if (received.size() < 2 + size) return;
  DnsBytes response(received.begin() + 2, received.begin() + 2 + static_cast<std::ptrdiff_t>(size));
  if (dns_answers(query.wire, response)) return finish(key, std::move(response));
  query.last_error = "answered another question";
  attempt(key);
}

void DnsUpstream::finish(std::uint64_t key, Result<DnsBytes> result) {
  auto node = queries_.extract(key);
  Query& query = *node.mapped();
  if (result) set_dns_number(*result, query.number);
  loop_.post([done = std::move(query.done), result = std::move(result),
              alive = std::weak_ptr<bool>(alive_)]() mutable {
    if (!alive.expired()) done(std::move(result));
  });
}

}  // namespace keelson::proxy

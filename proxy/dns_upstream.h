// Asks the node's own resolvers what is not the cluster's to know.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/random.h"
#include "base/system_loop.h"
#include "proxy/dns_message.h"
#include "proxy/resolv_conf.h"

namespace keelson::proxy {

enum class DnsTransport { Udp, Tcp };

// One loop's. Each question goes out by a socket of its own, so with a port nobody can guess, and a
// number of its own; what comes back must repeat both and the question. Resolvers are asked in
// their order; one that cannot be reached is passed over at once.
class DnsUpstream {
 public:
  struct Settings {
    std::string resolv_conf = "/etc/resolv.conf";
    Duration resolv_conf_check_after = 5s;  // read again when it has changed, looked at this often
    std::uint16_t port = 53;
    // Resolvers that are us: asking them would go round in a circle.
    std::function<bool(const Nameserver&)> is_own = {};
    std::size_t queries_max = 512;  // in flight; beyond it questions fail at once
    Duration attempt_timeout = 2s;  // then the next resolver
    Duration timeout = 4'500ms;     // in all: before the C library's 5 s
  };
  // The whole response with the query's number, or why there is none.
  using Done = std::move_only_function<void(Result<DnsBytes>)>;

  DnsUpstream(SystemLoop& loop, Random& random, Settings settings);
  ~DnsUpstream();

  // Never answers from inside the call.
  void ask(DnsBytes query, DnsTransport transport, Done done);
  std::size_t in_flight() const { return queries_.size(); }

 private:
  struct Query;
  void read_configuration();
  void attempt(std::uint64_t key);
  bool connect(std::uint64_t key, Query& query, const Nameserver& nameserver);
  void send_by_tcp(std::uint64_t key);
  void receive(std::uint64_t key);
  void receive_datagram(std::uint64_t key, Query& query);
  void receive_stream(std::uint64_t key, Query& query);
  void finish(std::uint64_t key, Result<DnsBytes> result);

  SystemLoop& loop_;
  Random& random_;
  Settings settings_;
  std::vector<Nameserver> nameservers_;
  std::int64_t configuration_changed_ns_ = -1;  // modification time of resolv.conf
  Instant configuration_read_{};
  std::map<std::uint64_t, std::unique_ptr<Query>> queries_;
  std::uint64_t next_key_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson::proxy

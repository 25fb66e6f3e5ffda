// The cluster's DNS on this node: answers for Services and pods from what the node knows, asks the
// node's resolvers for other names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/fd.h"
#include "base/random.h"
#include "base/system_loop.h"
#include "proxy/dns_names.h"
#include "proxy/dns_tcp.h"
#include "proxy/dns_upstream.h"
#include "proxy/service_table.h"

namespace keelson::proxy {

struct DnsSettings {
  std::uint32_t listen_be = 0;  // 169.254.20.10 on a node; added to lo if it is link-local
  std::uint16_t port = 53;
  DnsZone zone;
  // Whether the directory holds all there is. Until then the cluster's names fail, for a "no such
  // name" would be remembered; other names resolve. Empty: always.
  std::function<bool()> is_ready = {};
  DnsUpstream::Settings upstream;
};

// One loop's. The directory must outlive it.
class DnsServer {
 public:
  // Called in the node's network namespace.
  static Result<std::unique_ptr<DnsServer>> open(SystemLoop& loop, Random& random,
                                                 const ServiceDirectory& directory,
                                                 DnsSettings settings);

  std::uint16_t port() const { return tcp_->port(); }

 private:
  using Reply = DnsTcpListener::Reply;
  DnsServer(SystemLoop& loop, Random& random, const ServiceDirectory& directory,
            DnsSettings settings);
  Result<> listen();
  void receive();
  void handle(DnsBytes wire, DnsTransport transport, Reply reply);
  void forward(DnsBytes wire, DnsTransport transport, Reply reply);
  void follow_alias(DnsQuery query, DnsAnswer answer, std::size_t size, DnsTransport transport,
                    Reply reply);
  void shuffle(DnsAnswer& answer);

  SystemLoop& loop_;
  Random& random_;
  const ServiceDirectory& directory_;
  DnsSettings settings_;
  DnsUpstream upstream_;
  std::shared_ptr<Fd> udp_;  // shared with answers on their way
  Pending readable_;
  std::unique_ptr<DnsTcpListener> tcp_;
};

// The rows by which the address of the cluster's DNS Service leads to the node's own server.
Rows dns_rows(std::uint32_t service_address_be, std::uint32_t server_address_be);

}  // namespace keelson::proxy

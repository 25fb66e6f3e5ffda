// UDP, and what is done with a question whichever way it came.
#include "proxy/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "proxy/local_address.h"

namespace keelson::proxy {
namespace {

constexpr int datagrams_per_turn = 64;  // then other work has its turn
constexpr int aliases_max = 8;          // CNAMEs from Service to Service

bool is_link_local(std::uint32_t address_be) {
  return ntohl(address_be) >> 16 == (169 << 8 | 254);
}

sockaddr_in address_of(std::uint32_t address_be, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = address_be;
  return address;
}

// Resolvers whose answers would be our own.
auto is_own(const DnsSettings& settings) {
  return [listen_be = settings.listen_be,
          range = settings.zone.service_range](const Nameserver& nameserver) {
    if (nameserver.address.ss_family != AF_INET) return false;
    const auto address_be =
        reinterpret_cast<const sockaddr_in&>(nameserver.address).sin_addr.s_addr;
    return address_be == listen_be || range.contains(address_be);
  };
}

}  // namespace

Rows dns_rows(std::uint32_t service_address_be, std::uint32_t server_address_be) {
  Rows rows;
  for (const std::uint8_t protocol : {IPPROTO_UDP, IPPROTO_TCP})
    rows[{.address = service_address_be,
          .port = htons(53),
          .protocol = protocol,
          .scope = LB_INSIDE}] = {
        .backends = {{.address_be = server_address_be, .port_be = htons(53), .local = true}}};
  return rows;
}

Result<std::unique_ptr<DnsServer>> DnsServer::open(SystemLoop& loop, Random& random,
                                                   const ServiceDirectory& directory,
                                                   DnsSettings settings) {
  if (is_link_local(settings.listen_be))
    if (auto added = add_local_address(settings.listen_be); !added)
      return added.error().during("prepare cluster DNS");
  if (!settings.upstream.is_own) settings.upstream.is_own = is_own(settings);
  std::unique_ptr<DnsServer> server(new DnsServer(loop, random, directory, std::move(settings)));
  if (auto listening = server->listen(); !listening)
    return listening.error().during("start cluster DNS");
  return server;
}

DnsServer::DnsServer(SystemLoop& loop, Random& random, const ServiceDirectory& directory,
                     DnsSettings settings)
    : loop_(loop),
      random_(random),
      directory_(directory),
      settings_(std::move(settings)),
      upstream_(loop, random, settings_.upstream) {}

Result<> DnsServer::listen() {
  auto tcp =
      DnsTcpListener::open(loop_, {.address_be = settings_.listen_be, .port = settings_.port},
                           [this](DnsBytes question, Reply reply) {
                             handle(std::move(question), DnsTransport::Tcp, std::move(reply));
                           });
  if (!tcp) return std::unexpected(tcp.error());
  tcp_ = std::move(*tcp);

  udp_ = std::make_shared<Fd>(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in address = address_of(settings_.listen_be, tcp_->port());
  if (!*udp_ ||
      ::bind(udp_->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return fail_errno(errno, "listen for DNS at UDP {}:{}", ipv4_text(settings_.listen_be),
                      tcp_->port());
  readable_ = loop_.on_readable(udp_->get(), [this] { receive(); });
  return {};
}

void DnsServer::receive() {
  for (int i = 0; i < datagrams_per_turn; ++i) {
    DnsBytes wire(dns_query_bytes_max + 1);  // one more shows what is too long
    sockaddr_in client{};
    socklen_t client_length = sizeof(client);
    const ssize_t length = ::recvfrom(udp_->get(), wire.data(), wire.size(), 0,
                                      reinterpret_cast<sockaddr*>(&client), &client_length);
    if (length < 0) return;  // nothing more, or an ICMP error about an answer
    wire.resize(static_cast<std::size_t>(length));
    handle(std::move(wire), DnsTransport::Udp, [socket = udp_, client](const DnsBytes& answer) {
      if (answer.empty()) return;
      // An answer that cannot be sent is asked for again.
      (void)!::sendto(socket->get(), answer.data(), answer.size(), 0,
                      reinterpret_cast<const sockaddr*>(&client), sizeof(client));
    });
  }
}

// An empty reply: no answer at all.
void DnsServer::handle(DnsBytes wire, DnsTransport transport, Reply reply) {
  auto query = DnsQuery::parse(wire);
  if (!query) return reply({});
  if (query->code() != DnsCode::NoError) return reply(query->encode_failure(query->code()));
  auto answer = resolve(directory_, settings_.zone, query->question());
  if (!answer) return forward(std::move(wire), transport, std::move(reply));
  if (settings_.is_ready && !settings_.is_ready())
    return reply(query->encode_failure(DnsCode::ServFail));
  const std::size_t size =
      transport == DnsTransport::Tcp ? dns_tcp_bytes_max : query->udp_bytes_max();
  if (!answer->alias.empty())
    return follow_alias(std::move(*query), std::move(*answer), size, transport, std::move(reply));
  shuffle(*answer);
  reply(query->encode(*answer, settings_.zone, size));
}

void DnsServer::forward(DnsBytes wire, DnsTransport transport, Reply reply) {
  DnsBytes question = wire;
  upstream_.ask(
      std::move(question), transport,
      [wire = std::move(wire), reply = std::move(reply)](Result<DnsBytes> response) mutable {
        if (response) return reply(std::move(*response));
        const auto query = DnsQuery::parse(wire);
        reply(query ? query->encode_failure(DnsCode::ServFail) : DnsBytes{});
      });
}

// A Service of type ExternalName: the records of the name it stands for follow the CNAME.
void DnsServer::follow_alias(DnsQuery query, DnsAnswer answer, std::size_t size,
                             DnsTransport transport, Reply reply) {
  for (int i = 0; i < aliases_max; ++i) {
    const auto next = resolve(directory_, settings_.zone,
                              {.labels = dns_labels(answer.alias), .type = query.question().type});
    if (!next) break;
    for (auto record : next->records) {
      if (record.owner.empty()) record.owner = answer.alias;
      answer.records.push_back(std::move(record));
    }
    answer.code = next->code;
    answer.alias = next->alias;
    if (answer.alias.empty()) return reply(query.encode(answer, settings_.zone, size));
  }
  DnsBytes question = query.query_for(answer.alias);
  if (question.empty()) return reply(query.encode_failure(DnsCode::ServFail));
  upstream_.ask(std::move(question), transport,
                [query = std::move(query), answer = std::move(answer), size,
                 reply = std::move(reply)](const Result<DnsBytes>& response) mutable {
                  reply(response ? query.encode_with(answer, *response, size)
                                 : query.encode_failure(DnsCode::ServFail));
                });
}

// Clients take the first: each of a headless Service's pods shall be it in turn.
void DnsServer::shuffle(DnsAnswer& answer) {
  for (std::size_t i = answer.records.size(); i > 1; --i)
    std::swap(answer.records[i - 1], answer.records[random_.below(i)]);
}

}  // namespace keelson::proxy

// The DNS server over loopback sockets, with resolvers that answer, lie, say nothing or are not
// there.
#include "proxy/dns_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fstream>

#include "base/log.h"
#include "tests/proxy/dns_client.h"
#include "tests/proxy/objects.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::proxy;

namespace {

constexpr std::uint32_t loopback_be = 0x0100007f;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = loopback_be;
  return address;
}

Fd bound_socket(int type) {
  Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in address = loopback(0);
  CHECK(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  return socket;
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

// A resolver on loopback: what it answers is the test's to say.
class Resolver {
 public:
  using Answer = std::function<std::vector<DnsBytes>(const DnsBytes& question)>;
  Resolver(SystemLoop& loop, Answer answer)
      : answer_(std::move(answer)), udp_(bound_socket(SOCK_DGRAM)) {
    readable_ = loop.on_readable(udp_.get(), [this] { receive(); });
    tcp_ = *DnsTcpListener::open(loop, {.address_be = loopback_be, .port = port()},
                                 [this](DnsBytes question, DnsTcpListener::Reply reply) {
                                   ++asked_by_tcp;
                                   const auto answers = answer_(question);
                                   reply(answers.empty() ? DnsBytes{} : answers.back());
                                 });
  }
  std::uint16_t port() const { return port_of(udp_); }
  int asked_by_udp = 0;
  int asked_by_tcp = 0;
  std::vector<DnsBytes> questions;

 private:
  void receive() {
    DnsBytes question(2'000);
    sockaddr_in client{};
    socklen_t length = sizeof(client);
    const ssize_t size = ::recvfrom(udp_.get(), question.data(), question.size(), 0,
                                    reinterpret_cast<sockaddr*>(&client), &length);
    if (size < 0) return;
    question.resize(static_cast<std::size_t>(size));
    ++asked_by_udp;
    questions.push_back(question);
    for (const auto& answer : answer_(question))
      (void)!::sendto(udp_.get(), answer.data(), answer.size(), 0,
                      reinterpret_cast<const sockaddr*>(&client), length);
  }

  Answer answer_;
  Fd udp_;
  Pending readable_;
  std::unique_ptr<DnsTcpListener> tcp_;
};

DnsBytes answer_to(const DnsBytes& question, std::uint32_t address_be = 0x04030201) {
  return DnsQuery::parse(question)->encode(
      {.records = {{.type = DnsType::A, .address_be = address_be}}}, DnsZone{}, 512);
}

std::vector<DnsBytes> honest(const DnsBytes& question) {
  return {answer_to(question)};
}

struct Fixture : public Utest {
  SystemLoop loop;
  SeededRandom random{1};
  ServiceDirectory directory{"node-1"};
  std::string resolv_conf = fmt::format("/tmp/keelson-resolv-{}", ::getpid());
  std::unique_ptr<DnsServer> server;
  bool is_ready = true;
  DnsUpstream::Settings upstream{.is_own = [](const Nameserver&) { return false; },
                                 .attempt_timeout = 100ms,
                                 .timeout = 300ms};

  void setup() override {
    set_log_level(LogLevel::Error);
    directory.put(make_service("web", "10.96.0.20", {{"http", 80}}));
    directory.put(make_service("db", "None", {{"sql", 5432}}));
    std::vector<TestEndpoint> endpoints;
    for (int i = 0; i < 200; ++i) endpoints.push_back({fmt::format("10.88.0.{}", i + 1)});
    directory.put(make_slice("db-1", "db", {{"sql", 5432}}, endpoints));
    for (const auto& [name, target] :
         {std::pair("out", "example.org"), std::pair("in", "web.default.svc.cluster.local"),
          std::pair("round", "round.default.svc.cluster.local")}) {
      auto service = make_service(name, "", {});
      service.mutable_spec()->set_type("ExternalName");
      service.mutable_spec()->set_externalname(target);
      directory.put(service);
    }
  }
  void teardown() override { ::unlink(resolv_conf.c_str()); }

  void start(const std::string& nameservers, std::uint16_t upstream_port = 1) {
    std::ofstream(resolv_conf) << nameservers;
    upstream.resolv_conf = resolv_conf;
    upstream.port = upstream_port;
    auto opened = DnsServer::open(loop, random, directory,
                                  {.listen_be = loopback_be,
                                   .port = 0,
                                   .zone = {},
                                   .is_ready = [this] { return is_ready; },
                                   .upstream = std::move(upstream)});
    CHECK_TEXT(opened.has_value(), opened ? "" : opened.error().message.c_str());
    server = std::move(*opened);
  }
  Fd connect(int type) {
    Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(server->port());
    CHECK(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
          0);
    return socket;
  }
  // Runs the loop until the socket has something to read, at most 2 s; what was read.
  DnsBytes read(const Fd& socket) {
    bool readable = false;
    Pending arrival = loop.on_readable(socket.get(), [&] {
      readable = true;
      loop.stop();
    });
    Pending bound = loop.after(2s, [this] { loop.stop(); });
    loop.io().restart();
    loop.run();
    DnsBytes bytes(70'000);
    const ssize_t length = readable ? ::recv(socket.get(), bytes.data(), bytes.size(), 0) : 0;
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    return bytes;
  }
  std::string ask(const DnsBytes& question) {
    const Fd socket = connect(SOCK_DGRAM);
    LONGS_EQUAL(question.size(), ::send(socket.get(), question.data(), question.size(), 0));
    const auto answer = read(socket);
    return answer.empty() ? "no answer" : dns_text(answer);
  }
  static DnsBytes framed(const DnsBytes& message) {
    DnsBytes bytes = {static_cast<std::uint8_t>(message.size() >> 8),
                      static_cast<std::uint8_t>(message.size())};
    bytes.insert(bytes.end(), message.begin(), message.end());
    return bytes;
  }
  void send(const Fd& socket, const DnsBytes& bytes) {
    LONGS_EQUAL(bytes.size(), ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // The next message of a TCP connection; `rest` holds what came behind it.
  std::string next(const Fd& socket, DnsBytes& rest) {
    while (rest.size() < 2 || rest.size() < 2U + (rest[0] << 8 | rest[1])) {
      const auto more = read(socket);
      if (more.empty()) return "no answer";
      rest.insert(rest.end(), more.begin(), more.end());
    }
    const std::size_t size = rest[0] << 8 | rest[1];
    const std::string text = dns_text(DnsWire(rest).subspan(2, size));
    rest.erase(rest.begin(), rest.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    return text;
  }
};

}  // namespace

TEST_GROUP_BASE(DnsServer, Fixture){};

TEST(DnsServer, answers_for_the_cluster_without_any_resolver) {
  start("");
  STRCMP_EQUAL("NOERROR aa: web.default.svc.cluster.local. 5 IN A 10.96.0.20",
               ask(dns_query("web.default.svc.cluster.local", "A")).c_str());
  STRCMP_CONTAINS("NXDOMAIN aa", ask(dns_query("nosuch.default.svc.cluster.local", "A")).c_str());
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("example.org", "A")).c_str());
}

TEST(DnsServer, before_all_services_are_known_it_denies_none) {
  Resolver resolver(loop, honest);
  is_ready = false;
  start("nameserver 127.0.0.1\n", resolver.port());
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("late.default.svc.cluster.local", "A")).c_str());
  STRCMP_CONTAINS("1.2.3.4", ask(dns_query("example.org", "A")).c_str());
  is_ready = true;
  STRCMP_CONTAINS("NXDOMAIN", ask(dns_query("late.default.svc.cluster.local", "A")).c_str());
}

TEST(DnsServer, what_is_no_question_gets_no_answer_and_hurts_nobody) {
  start("");
  const Fd socket = connect(SOCK_DGRAM);
  send(socket, DnsBytes(5));
  send(socket, DnsBytes(1'400));
  send(socket, dns_query("web.default.svc.cluster.local", "A"));
  STRCMP_CONTAINS("10.96.0.20", dns_text(read(socket)).c_str());
}

TEST(DnsServer, many_addresses_are_cut_by_udp_and_whole_by_tcp_in_another_order_each_time) {
  start("");
  const auto question = dns_query("db.default.svc.cluster.local", "A");
  STRCMP_CONTAINS("NOERROR aa tc:", ask(question).c_str());
  const Fd socket = connect(SOCK_STREAM);
  DnsBytes rest;
  send(socket, framed(question));
  const auto first = next(socket, rest);
  send(socket, framed(question));
  const auto second = next(socket, rest);
  for (int i = 1; i <= 200; ++i) CHECK(first.contains(fmt::format("IN A 10.88.0.{}", i)));
  LONGS_EQUAL(first.size(), second.size());
  CHECK(first != second);
}

TEST(DnsServer, several_questions_on_one_connection_are_all_answered) {
  start("");
  const Fd socket = connect(SOCK_STREAM);
  DnsBytes all;
  for (int i = 0; i < 50; ++i) {
    const auto one = framed(dns_query("web.default.svc.cluster.local", "A"));
    all.insert(all.end(), one.begin(), one.end());
  }
  // In pieces that end anywhere.
  for (std::size_t at = 0; at < all.size(); at += 37)
    send(socket, {all.begin() + static_cast<std::ptrdiff_t>(at),
                  all.begin() + static_cast<std::ptrdiff_t>(std::min(at + 37, all.size()))});
  DnsBytes rest;
  for (int i = 0; i < 50; ++i) STRCMP_CONTAINS("10.96.0.20", next(socket, rest).c_str());
}

TEST(DnsServer, a_connection_that_sends_nonsense_is_closed) {
  start("");
  for (const auto& bytes : {DnsBytes{0xff, 0xff, 1, 2}, DnsBytes{0, 3, 1, 2, 3}}) {
    const Fd socket = connect(SOCK_STREAM);
    send(socket, bytes);
    DnsBytes rest;
    STRCMP_EQUAL("no answer", next(socket, rest).c_str());
  }
}

TEST(DnsServer, other_names_go_to_the_nodes_resolver_by_the_same_transport) {
  Resolver resolver(loop, honest);
  start("# comment\nnameserver 127.0.0.1\n", resolver.port());
  STRCMP_EQUAL("NOERROR aa: example.org. 5 IN A 1.2.3.4",
               ask(dns_query("example.org", "A")).c_str());
  LONGS_EQUAL(1, resolver.asked_by_udp);
  const Fd socket = connect(SOCK_STREAM);
  send(socket, framed(dns_query("example.org", "A")));
  DnsBytes rest;
  STRCMP_EQUAL("NOERROR aa: example.org. 5 IN A 1.2.3.4", next(socket, rest).c_str());
  LONGS_EQUAL(1, resolver.asked_by_tcp);
}

TEST(DnsServer, its_questions_have_numbers_of_their_own) {
  Resolver resolver(loop, honest);
  start("nameserver 127.0.0.1\n", resolver.port());
  std::set<std::uint16_t> numbers;
  for (int i = 0; i < 5; ++i) {
    const auto answer = [&] {
      const Fd socket = connect(SOCK_DGRAM);
      send(socket, dns_query("example.org", "A"));
      return read(socket);
    }();
    LONGS_EQUAL(0x4b65, dns_number(answer));  // the client's own comes back
  }
  for (const auto& question : resolver.questions) numbers.insert(dns_number(question));
  LONGS_EQUAL(5, numbers.size());
}

TEST(DnsServer, answers_to_other_questions_are_not_believed) {
  Resolver resolver(loop, [](const DnsBytes& question) {
    DnsBytes other_number = answer_to(question, 0x09090909);
    other_number[0] ^= 1;
    DnsBytes other_name = answer_to(question, 0x09090909);
    other_name[14] ^= 1;
    return std::vector<DnsBytes>{DnsBytes(3), other_number, other_name, answer_to(question)};
  });
  start("nameserver 127.0.0.1\n", resolver.port());
  STRCMP_CONTAINS("1.2.3.4", ask(dns_query("example.org", "A")).c_str());
}

TEST(DnsServer, a_resolver_that_is_silent_or_absent_is_passed_over) {
  Resolver resolver(loop, honest);
  const Fd silent = bound_socket(SOCK_DGRAM);
  // All have the same port: 127.0.0.2 has nobody there, which ICMP says at once.
  start("nameserver 127.0.0.2\nnameserver nonsense\nnameserver 127.0.0.1\n", resolver.port());
  STRCMP_CONTAINS("1.2.3.4", ask(dns_query("example.org", "A")).c_str());
}

TEST(DnsServer, without_a_resolver_that_answers_it_says_so_in_time) {
  const Fd silent = bound_socket(SOCK_DGRAM);
  start("nameserver 127.0.0.1\n", port_of(silent));
  const auto start_time = std::chrono::steady_clock::now();
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("example.org", "A")).c_str());
  const auto took = std::chrono::steady_clock::now() - start_time;
  CHECK(took >= 100ms && took < 2s);
}

TEST(DnsServer, an_unreachable_resolver_fails_at_once) {
  upstream.attempt_timeout = 2s;
  upstream.timeout = 2s;
  start("nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n", 1);
  const auto start_time = std::chrono::steady_clock::now();
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("example.org", "A")).c_str());
  const Fd socket = connect(SOCK_STREAM);
  send(socket, framed(dns_query("example.org", "A")));
  DnsBytes rest;
  STRCMP_EQUAL("SERVFAIL: ", next(socket, rest).c_str());
  CHECK(std::chrono::steady_clock::now() - start_time < 1s);
}

TEST(DnsServer, more_questions_than_its_bound_fail_at_once) {
  const Fd silent = bound_socket(SOCK_DGRAM);
  upstream.queries_max = 3;
  start("nameserver 127.0.0.1\n", port_of(silent));
  const Fd socket = connect(SOCK_DGRAM);
  for (int i = 0; i < 4; ++i) send(socket, dns_query("example.org", "A"));
  const auto start_time = std::chrono::steady_clock::now();
  STRCMP_EQUAL("SERVFAIL: ", dns_text(read(socket)).c_str());
  CHECK(std::chrono::steady_clock::now() - start_time < 90ms);
}

TEST(DnsServer, external_names_are_followed_out_of_the_cluster_and_within) {
  Resolver resolver(loop, honest);
  start("nameserver 127.0.0.1\n", resolver.port());
  STRCMP_EQUAL(
      "NOERROR: out.default.svc.cluster.local. 5 IN CNAME example.org.; example.org. 5 IN A "
      "1.2.3.4",
      ask(dns_query("out.default.svc.cluster.local", "A")).c_str());
  STRCMP_EQUAL(
      "NOERROR aa: in.default.svc.cluster.local. 5 IN CNAME web.default.svc.cluster.local.; "
      "web.default.svc.cluster.local. 5 IN A 10.96.0.20",
      ask(dns_query("in.default.svc.cluster.local", "A")).c_str());
  // Round and round: bounded.
  CHECK(ask(dns_query("round.default.svc.cluster.local", "A")) != "no answer");
}

TEST(DnsServer, a_change_of_resolv_conf_is_seen) {
  Resolver resolver(loop, honest);
  upstream.resolv_conf_check_after = 0s;
  start("nameserver 127.0.0.2\n", resolver.port());
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("example.org", "A")).c_str());
  std::ofstream(resolv_conf) << "nameserver 127.0.0.1\n";
  STRCMP_CONTAINS("1.2.3.4", ask(dns_query("example.org", "A")).c_str());
  ::unlink(resolv_conf.c_str());
  STRCMP_EQUAL("SERVFAIL: ", ask(dns_query("example.org", "A")).c_str());
}

TEST(DnsServer, a_taken_port_is_told) {
  start("");
  const auto second = DnsServer::open(
      loop, random, directory,
      {.listen_be = loopback_be, .port = server->port(), .zone = {}, .upstream = {}});
  CHECK(!second);
  STRCMP_CONTAINS("start cluster DNS: listen for DNS at TCP port", second.error().message.c_str());
}

TEST(DnsServer, resolv_conf_is_read_as_the_c_library_does) {
  const auto servers = parse_resolv_conf(
      "# nameserver 9.9.9.9\nsearch a b\nnameserver 1.1.1.1 # x\n\tnameserver\t::1\nnameserver\n"
      "nameserver fe80::1%lo\nnameserver 4.4.4.4\noptions ndots:5\n",
      53);
  LONGS_EQUAL(3, servers.size());
  STRCMP_EQUAL("1.1.1.1", servers[0].text.c_str());
  LONGS_EQUAL(AF_INET6, servers[1].address.ss_family);
  STRCMP_EQUAL("fe80::1%lo", servers[2].text.c_str());
  CHECK(!read_resolv_conf("/nowhere"));
}

TEST(DnsServer, the_rows_of_the_dns_service_lead_to_the_nodes_server) {
  const auto rows = dns_rows(*parse_ipv4("10.96.0.10"), *parse_ipv4("169.254.20.10"));
  LONGS_EQUAL(2, rows.size());
  CHECK(rows.contains(front("10.96.0.10", 53, IPPROTO_UDP)));
  CHECK(rows.contains(front("10.96.0.10", 53)));
}

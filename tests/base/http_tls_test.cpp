// TLS at both ends: who is let in, who is known, and who is refused; and curl as a stranger.
#include <cstdio>
#include <thread>

#include "base/files.h"
#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

WallTime today() {
  return std::chrono::system_clock::now();
}

CertificateAuthority make_authority(const char* name) {
  return std::move(*CertificateAuthority::make(name, today()));
}

std::string describe_peer(Exchange& exchange) {
  const TlsPeer* peer = exchange.peer();
  if (peer == nullptr) return "anonymous";
  if (!peer->error.empty()) return "bad: " + peer->error;
  std::string text = peer->common_name;
  for (const std::string& organization : peer->organizations) text += " " + organization;
  return text;
}

void who(std::unique_ptr<Exchange> exchange) {
  std::string text = describe_peer(*exchange);
  exchange->respond(text_response(200, std::move(text)));
}

}  // namespace

TEST_GROUP(HttpTls) {
  IoThreads threads{2};
  HttpClient client{threads.loop(0), Limits()};
  CertificateAuthority authority = make_authority("ca");

  TlsIdentity issue(const CertificateSpec& spec, WallTime when = today()) {
    return *authority.issue(spec, when);
  }
  TlsContextPtr server_tls(const std::vector<std::string>& names = {"127.0.0.1"},
                           WallTime when = today()) {
    return *make_tls_context(TlsServerConfig{
        .identity = issue({.common_name = "server", .names = names, .server = true}, when),
        .client_ca_pem = authority.identity().certificate_pem});
  }
  TlsContextPtr client_tls(const TlsIdentity& identity = {}) {
    return *make_tls_context(
        TlsClientConfig{.ca_pem = authority.identity().certificate_pem, .identity = identity});
  }
  std::string ask(const std::string& address, TlsContextPtr tls, const std::string& host = {}) {
    auto response = get(client, {.address = address, .host = host, .tls = std::move(tls)});
    return response ? response->text() : "error: " + response.error().message;
  }
  void expect_part(const char* part, const std::string& text) {
    CHECK_TEXT(text.contains(part), (std::string(part) + " in: " + text).c_str());
  }
};

TEST(HttpTls, a_client_certificate_says_who_asks) {
  TestServer test(threads, who, {.tls = server_tls()});
  const TlsIdentity node = issue({.common_name = "system:node:n1",
                                  .organizations = {"system:nodes", "second"},
                                  .client = true});
  expect_part("system:node:n1 system:nodes second", ask(test.address, client_tls(node)));
  expect_part("anonymous", ask(test.address, client_tls()));
}

TEST(HttpTls, a_certificate_that_does_not_verify_is_let_in_with_the_reason) {
  TestServer test(threads, who, {.tls = server_tls()});
  const CertificateAuthority stranger = make_authority("ca");
  const TlsIdentity foreign =
      *stranger.issue({.common_name = "system:admin", .client = true}, today());
  expect_part("bad: ", ask(test.address, client_tls(foreign)));
  const TlsIdentity expired =
      issue({.common_name = "late", .client = true, .lifetime = 1h}, today() - 48h);
  expect_part("bad: certificate has expired", ask(test.address, client_tls(expired)));
  const TlsIdentity not_client = issue({.common_name = "server", .server = true});
  expect_part("bad: ", ask(test.address, client_tls(not_client)));
}

TEST(HttpTls, a_certificate_that_expires_on_an_open_connection_is_no_longer_good) {
  TestServer test(threads, who, {.tls = server_tls()});
  const TlsIdentity brief = issue({.common_name = "brief", .client = true, .lifetime = 2s});
  const TlsContextPtr tls = client_tls(brief);
  expect_part("brief", ask(test.address, tls));
  ::usleep(2'100'000);
  expect_part("bad: certificate has expired", ask(test.address, tls));
  LONGS_EQUAL(1, test.server.stats().connections);
}

TEST(HttpTls, without_a_client_ca_nobody_is_asked) {
  TestServer test(
      threads, who,
      {.tls = *make_tls_context(TlsServerConfig{
           .identity = issue({.common_name = "s", .names = {"127.0.0.1"}, .server = true})})});
  const TlsIdentity node = issue({.common_name = "n", .client = true});
  expect_part("anonymous", ask(test.address, client_tls(node)));
}

TEST(HttpTls, a_client_refuses_a_server_that_is_not_who_was_dialled) {
  TestServer test(threads, who, {.tls = server_tls({"127.0.0.1", "node-1", "::1"})});
  expect_part("anonymous", ask(test.address, client_tls()));
  expect_part("anonymous", ask(test.address, client_tls(), "node-1"));
  expect_part("anonymous", ask(test.address, client_tls(), "::1"));
  expect_part("mismatch", ask(test.address, client_tls(), "node-2"));
  expect_part("mismatch", ask(test.address, client_tls(), "10.0.0.1"));
}

TEST(HttpTls, a_client_refuses_a_server_of_another_authority_or_time) {
  const CertificateAuthority stranger = make_authority("ca");
  const TlsIdentity foreign =
      *stranger.issue({.common_name = "s", .names = {"127.0.0.1"}, .server = true}, today());
  TestServer other(threads, who, {.tls = *make_tls_context(TlsServerConfig{.identity = foreign})});
  expect_part("the server's certificate: ", ask(other.address, client_tls()));
  const TlsIdentity old = issue(
      {.common_name = "s", .names = {"127.0.0.1"}, .server = true, .lifetime = 1h}, today() - 48h);
  TestServer late(threads, who, {.tls = *make_tls_context(TlsServerConfig{.identity = old})});
  expect_part("certificate has expired", ask(late.address, client_tls()));
}

TEST(HttpTls, plain_and_tls_do_not_take_each_other_for_the_right_one) {
  TestServer secure(threads, who, {.tls = server_tls()});
  TestServer plain(threads, who);
  expect_part("error: ", ask(secure.address, nullptr));
  expect_part("error: ", ask(plain.address, client_tls()));
  RawPeer peer(secure.address);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_to_end());
}

TEST(HttpTls, a_peer_that_never_greets_is_cut) {
  Limits limits;
  limits.request_header_timeout = 100ms;
  TestServer test(threads, who, {.tls = server_tls(), .limits = limits});
  RawPeer silent(test.address), half(test.address);
  half.send("\x16\x03\x01\x02");
  CHECK(silent.read_to_end());
  CHECK(half.read_to_end());
}

TEST(HttpTls, new_connections_use_the_new_certificate) {
  TestServer test(threads, who, {.tls = server_tls({"old"})});
  const TlsContextPtr tls = client_tls();
  expect_part("anonymous", ask(test.address, tls, "old"));
  test.server.set_tls(server_tls({"new"}));
  expect_part("anonymous", ask(test.address, tls, "new"));
  expect_part("anonymous", ask(test.address, tls, "old"));  // its connection goes on
  expect_part("mismatch", ask(test.address, client_tls(), "old"));
}

TEST(HttpTls, large_bodies_go_both_ways) {
  TestServer test(threads,
                  [](std::unique_ptr<Exchange> exchange) {
                    exchange->respond({.body = {make_bytes(std::move(exchange->request().body)),
                                                make_bytes("end")}});
                  },
                  {.tls = server_tls()});
  std::string body(3'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  for (int i = 0; i < 3; ++i) {
    auto response = fetch(client, {.peer = {.address = test.address, .tls = client_tls()},
                                   .request = {.method = "PUT", .body = body}});
    CHECK_TEXT(response.has_value(), response ? "" : response.error().message.c_str());
    CHECK(response->text() == body + "end");
  }
}

TEST(HttpTls, streams_and_tunnels_work_under_tls) {
  TestServer test(threads,
                  [](std::unique_ptr<Exchange> exchange) {
                    if (exchange->target().path == "/stream") {
                      auto sink = exchange->stream({});
                      sink->write(std::string("one"));
                      return sink->finish();
                    }
                    std::shared_ptr<ByteStream> stream = exchange->upgrade({});
                    stream->read([stream](Result<std::string> bytes) {
                      stream->write("got " + *bytes);
                      stream->read([stream](Result<std::string> end) {
                        stream->write(std::string(end && end->empty() ? " end" : " lost"));
                        stream->finish();
                      });
                    });
                  },
                  {.tls = server_tls()});
  const HttpPeer peer = {.address = test.address, .tls = client_tls()};
  auto streamed = open_stream(client, {.peer = peer, .request = {.target = "/stream"}});
  CHECK(streamed.has_value());
  auto all = read_all(*streamed->body);
  CHECK(all.has_value() && *all == "one");
  auto upgraded = open_tunnel(client, {.peer = peer, .request = {.target = "/tunnel"}});
  CHECK(upgraded.has_value() && upgraded->stream != nullptr);
  upgraded->stream->write(std::string("this"));
  auto got = read_piece(*upgraded->stream);
  CHECK(got.has_value() && *got == "got this");
  upgraded->stream->finish();
  auto rest = read_all(*upgraded->stream);
  CHECK_TEXT(rest.has_value(), rest ? "" : rest.error().message.c_str());
  STRCMP_EQUAL(" end", rest->c_str());
}

TEST(HttpTls, contexts_say_what_is_wrong_with_their_pem) {
  const TlsIdentity good = issue({.common_name = "a", .server = true});
  const TlsIdentity other = issue({.common_name = "b", .server = true});
  struct Case {
    TlsServerConfig config;
    const char* says;
  };
  const Case cases[] = {
      {{.identity = {}}, "certificate: "},
      {{.identity = {good.certificate_pem, "none"}}, "private key: "},
      {{.identity = {good.certificate_pem, other.key_pem}}, "does not belong"},
      {{.identity = good, .client_ca_pem = "nonsense"}, "no PEM certificate"},
  };
  for (const Case& c : cases) {
    auto context = make_tls_context(c.config);
    CHECK_TEXT(!context.has_value(), c.says);
    CHECK_TEXT(context.error().message.contains(c.says), context.error().message.c_str());
  }
  CHECK(!make_tls_context(TlsClientConfig{.ca_pem = ""}).has_value());
}

TEST(HttpTls, curl_speaks_with_us) {
  TestServer test(threads,
                  [](std::unique_ptr<Exchange> exchange) {
                    std::string text = describe_peer(*exchange) + " " +
                                       std::to_string(exchange->request().body.size());
                    exchange->respond(text_response(200, std::move(text)));
                  },
                  {.tls = server_tls()});
  char folder[] = "/tmp/keelson-tls-XXXXXX";
  CHECK(::mkdtemp(folder) != nullptr);
  const std::string path = folder;
  CHECK(store_identity(path, "me",
                       issue({.common_name = "curl", .organizations = {"o"}, .client = true}))
            .has_value());
  CHECK(replace_file(path + "/ca.crt", authority.identity().certificate_pem, 0600).has_value());
  const std::string command = "curl -sS --max-time 10 --cacert " + path + "/ca.crt --cert " + path +
                              "/me.crt --key " + path +
                              "/me.key -H 'Expect: 100-continue' -X PUT --data-binary @" + path +
                              "/ca.crt https://" + test.address + "/ 2>&1";
  FILE* curl = ::popen(command.c_str(), "r");
  char line[512] = "";
  const bool got = ::fgets(line, sizeof(line), curl) != nullptr;
  const int status = ::pclose(curl);
  for (const char* name : {"/me.crt", "/me.key", "/ca.crt"}) ::unlink((path + name).c_str());
  ::rmdir(folder);
  CHECK(got);
  LONGS_EQUAL(0, status);
  const std::string expected =
      "curl o " + std::to_string(authority.identity().certificate_pem.size());
  STRCMP_EQUAL(expected.c_str(), line);
}

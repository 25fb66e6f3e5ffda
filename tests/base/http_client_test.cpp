// The client against our server and against raw peers that misbehave.
#include "base/http_client.h"

#include <thread>

#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

// Accepts connections one after the other and plays a script on each, on a thread of its own.
class ScriptedServer {
 public:
  using Script = std::function<void(int fd, int connection)>;
  explicit ScriptedServer(int connections, Script script)
      : listener_(std::move(*listen_on("127.0.0.1:0"))), address(local_address(listener_.get())) {
    thread_ = std::thread([this, connections, script = std::move(script)] {
      for (int i = 0; i < connections; ++i) {
        pollfd poll{listener_.get(), POLLIN, 0};
        if (::poll(&poll, 1, static_cast<int>(patience / 1ms)) != 1) return;
        Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (fd) script(fd.get(), i);
      }
    });
  }
  ~ScriptedServer() { thread_.join(); }

 private:
  Fd listener_;
  std::thread thread_;

 public:
  const std::string address;
};

std::string read_request(int fd) {
  std::string request;
  char buffer[4096];
  while (!request.contains("\r\n\r\n")) {
    const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  return request;
}

void send_text(int fd, std::string_view text) {
  [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

void expect_error(const Result<HttpResponse>& response, Reason reason, const char* part) {
  CHECK_TEXT(!response.has_value(), part);
  STRCMP_EQUAL_TEXT(std::string(to_string(reason)).c_str(),
                    std::string(to_string(response.error().reason)).c_str(),
                    response.error().message.c_str());
  CHECK_TEXT(response.error().message.contains(part), response.error().message.c_str());
}

}  // namespace

TEST_GROUP(HttpClient) {
  IoThreads threads{2};
  Limits limits;
  HttpClient client{threads.loop(0), limits};
};

TEST(HttpClient, sends_what_it_is_told_and_gives_the_whole_answer) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    HttpRequest& request = exchange->request();
    HttpResponse response = text_response(
        201, request.method + " " + request.target + " " + std::string(request.headers.get("x-a")) +
                 " " + std::string(request.headers.get("host")) + " " + request.body);
    response.headers.add("X-B", "b");
    exchange->respond(std::move(response));
  });
  auto response =
      fetch(client,
            {.peer = {.address = test.address},
             .request = {
                 .method = "PUT", .target = "/x?y=1", .headers = {{"X-A", "a"}}, .body = "body"}});
  CHECK(response.has_value());
  LONGS_EQUAL(201, response->status);
  STRCMP_EQUAL("PUT /x?y=1 a 127.0.0.1 body", response->text().c_str());
  STRCMP_EQUAL("b", std::string(response->headers.get("x-b")).c_str());
}

TEST(HttpClient, uses_one_connection_for_calls_in_turn) {
  TestServer test(threads, answer_with("hi"));
  for (int i = 0; i < 20; ++i) {
    auto response = get(client, {.address = test.address});
    CHECK(response.has_value() && response->text() == "hi");
  }
  LONGS_EQUAL(1, test.server.stats().connections);
  LONGS_EQUAL(20, test.server.stats().requests);
}

TEST(HttpClient, calls_at_once_share_a_bounded_number_of_connections) {
  Limits few;
  few.connections_per_peer = 3;
  HttpClient bounded(threads.loop(0), few);
  std::atomic<int> most = 0;
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::atomic<int> at_once = 0;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    most = std::max(most.load(), ++at_once);
    std::lock_guard lock(mutex);
    workers.emplace_back([&, exchange = std::move(exchange)]() mutable {
      ::usleep(2000);
      --at_once;
      exchange->respond({});
    });
  });
  std::atomic<int> answers = 0;
  std::vector<Pending> pending;
  for (int i = 0; i < 40; ++i) {
    pending.push_back(bounded.fetch({.peer = {.address = test.address}, .request = {}},
                                    [&](Result<HttpResponse> response) {
                                      if (response) ++answers;
                                    }));
  }
  for (int i = 0; i < 5000 && answers < 40; ++i) ::usleep(1000);
  LONGS_EQUAL(40, answers.load());
  LONGS_EQUAL(3, most.load());
  LONGS_EQUAL(3, test.server.stats().connections);
  std::lock_guard lock(mutex);
  for (auto& worker : workers) worker.join();
}

TEST(HttpClient, reads_bodies_of_every_framing) {
  struct Case {
    const char* answer;
    const char* method;
    const char* body;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "GET", "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "GET",
       "abc"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "GET", "until the end"},
      {"HTTP/1.0 200 OK\r\n\r\nold", "GET", "old"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "PUT", "x"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HEAD", ""},
  };
  for (const Case& c : cases) {
    ScriptedServer server(1, [&](int fd, int) {
      read_request(fd);
      send_text(fd, c.answer);
    });
    auto response =
        fetch(client, {.peer = {.address = server.address}, .request = {.method = c.method}});
    CHECK_TEXT(response.has_value(), c.answer);
    STRCMP_EQUAL_TEXT(c.body, response->text().c_str(), c.answer);
  }
}

TEST(HttpClient, says_what_is_wrong_with_a_bad_peer) {
  struct Case {
    const char* answer;
    const char* says;
  };
  const Case cases[] = {
      {"", "closed without an answer"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "ended within the answer"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "ended within the answer"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"},
      {"HTTP/1.1 101 Switching\r\n\r\n", "without an answer"},
  };
  for (const Case& c : cases) {
    ScriptedServer server(1, [&](int fd, int) {
      read_request(fd);
      send_text(fd, c.answer);
    });
    auto response = get(client, {.address = server.address}, "/path?secret=1");
    expect_error(response, Reason::ServiceUnavailable, c.says);
    CHECK(response.error().message.contains("GET " + server.address + "/path:"));
  }
}

TEST(HttpClient, an_answer_without_end_is_cut_at_the_bound) {
  Limits small;
  small.response_body_bytes = 1000;
  HttpClient bounded(threads.loop(0), small);
  TestServer test(threads, answer_with(std::string(1001, 'x')));
  expect_error(get(bounded, {.address = test.address}), Reason::RequestEntityTooLarge,
               "more than 1000 bytes");
}

TEST(HttpClient, says_that_nobody_listens) {
  std::string address;
  {
    auto listener = listen_on("127.0.0.1:0");
    address = local_address(listener->get());
  }
  expect_error(get(client, {.address = address}), Reason::ServiceUnavailable, "Connection refused");
  expect_error(get(client, {.address = "unix:/nonexistent/x"}), Reason::ServiceUnavailable,
               "No such file");
  expect_error(get(client, {.address = "localhost"}), Reason::ServiceUnavailable, "want");
  expect_error(get(client, {.address = "no-such-host.invalid:80"}), Reason::ServiceUnavailable,
               "resolve");
}

TEST(HttpClient, finds_names_and_unix_sockets) {
  TestServer test(threads, answer_with("hi"));
  const std::string port = test.address.substr(test.address.rfind(':'));
  auto by_name = get(client, {.address = "localhost" + port});
  CHECK_TEXT(by_name.has_value(), by_name ? "" : by_name.error().message.c_str());
  char folder[] = "/tmp/keelson-http-XXXXXX";
  CHECK(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/s";
  CHECK(test.server.listen("unix:" + path).has_value());
  auto by_path = get(client, {.address = "unix:" + path});
  ::unlink(path.c_str());
  ::rmdir(folder);
  CHECK(by_path.has_value());
}

TEST(HttpClient, takes_the_sockets_it_is_given) {
  TestServer test(threads, answer_with("hi"));
  std::string asked;
  HttpClient dialing(threads.loop(0), limits, [&](const std::string& address) -> Result<Fd> {
    asked = address;
    if (address.starts_with("bad")) return fail(Reason::Forbidden, "not there");
    return start_connect(test.address);
  });
  auto response = get(dialing, {.address = "elsewhere:1"});
  CHECK(response.has_value());
  STRCMP_EQUAL("elsewhere:1", asked.c_str());
  expect_error(get(dialing, {.address = "bad:1"}), Reason::ServiceUnavailable, "not there");
}

TEST(HttpClient, a_call_ends_by_its_timeout) {
  std::vector<std::unique_ptr<Exchange>> kept;
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) { kept.push_back(std::move(exchange)); });
  auto response =
      fetch(client, {.peer = {.address = test.address}, .request = {}, .timeout = 50ms});
  expect_error(response, Reason::Timeout, "no answer within 0.1 s");
  // And its connection is not used again.
  for (int i = 0; i < 5000 && test.server.stats().connections > 0; ++i) {
    kept.clear();
    ::usleep(1000);
  }
  LONGS_EQUAL(0, test.server.stats().connections);
}

TEST(HttpClient, a_dropped_call_is_not_answered) {
  std::atomic<int> calls = 0;
  Event handled;
  std::unique_ptr<Exchange> kept;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    kept = std::move(exchange);
    kept->on_closed([] {});
    handled.set();
  });
  Pending pending = client.fetch({.peer = {.address = test.address}, .request = {}},
                                 [&](Result<HttpResponse>) { ++calls; });
  CHECK(handled.wait());
  pending.reset();
  for (int i = 0; i < 5000 && test.server.stats().connections > 0; ++i) ::usleep(1000);
  LONGS_EQUAL(0, test.server.stats().connections);
  LONGS_EQUAL(0, calls.load());
}

TEST(HttpClient, closing_ends_every_call) {
  Event handled;
  std::mutex mutex;
  std::vector<std::unique_ptr<Exchange>> kept;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(exchange));
    handled.set();
  });
  std::atomic<int> failed = 0;
  std::vector<Pending> pending;
  {
    HttpClient closing(threads.loop(0), limits);
    for (int i = 0; i < 30; ++i) {
      pending.push_back(closing.fetch({.peer = {.address = test.address}, .request = {}},
                                      [&](Result<HttpResponse> response) {
                                        if (!response) ++failed;
                                      }));
    }
    CHECK(handled.wait());
  }
  LONGS_EQUAL(30, failed.load());
}

TEST(HttpClient, asks_again_when_a_pooled_connection_was_just_closed) {
  // The first connection answers once and closes at the second request.
  ScriptedServer server(2, [&](int fd, int connection) {
    read_request(fd);
    send_text(fd, hello);
    if (connection == 0) read_request(fd);
  });
  CHECK(get(client, {.address = server.address}).has_value());
  auto second = get(client, {.address = server.address});
  CHECK_TEXT(second.has_value(), second ? "" : second.error().message.c_str());
}

TEST(HttpClient, does_not_ask_twice_for_what_changes_something) {
  ScriptedServer server(1, [&](int fd, int) {
    read_request(fd);
    send_text(fd, hello);
    read_request(fd);
  });
  CHECK(get(client, {.address = server.address}).has_value());
  auto second = fetch(client, {.peer = {.address = server.address}, .request = {.method = "POST"}});
  expect_error(second, Reason::ServiceUnavailable, "closed without an answer");
}

TEST(HttpClient, streams_pieces_as_they_come) {
  std::unique_ptr<ByteSink> sink;
  Event begun;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    sink = exchange->stream({.headers = {{"X", "y"}}});
    begun.set();
  });
  auto streamed = open_stream(client, {.peer = {.address = test.address}, .request = {}});
  CHECK(streamed.has_value());
  STRCMP_EQUAL("y", std::string(streamed->head.headers.get("X")).c_str());
  for (const char* piece : {"first", "second"}) {
    sink->write(std::string(piece));
    auto got = read_piece(*streamed->body);
    CHECK(got.has_value());
    STRCMP_EQUAL(piece, got->c_str());
  }
  sink->finish();
  auto end = read_piece(*streamed->body);
  CHECK(end.has_value() && end->empty());
  // The connection serves again.
  sink = nullptr;
  auto next = open_stream(client, {.peer = {.address = test.address}, .request = {}});
  CHECK(next.has_value());
  LONGS_EQUAL(1, test.server.stats().connections);
}

TEST(HttpClient, a_stream_has_no_timeout_once_it_has_begun) {
  std::unique_ptr<ByteSink> sink;
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) { sink = exchange->stream({}); });
  auto streamed =
      open_stream(client, {.peer = {.address = test.address}, .request = {}, .timeout = 100ms});
  CHECK(streamed.has_value());
  ::usleep(150'000);
  sink->write(std::string("still"));
  auto got = read_piece(*streamed->body);
  CHECK(got.has_value() && *got == "still");
}

TEST(HttpClient, a_slow_reader_slows_the_server) {
  auto piece = make_bytes(std::string(100'000, 'x'));
  std::shared_ptr<ByteSink> sink;
  std::atomic<std::size_t> written = 0;
  Event begun;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    sink = exchange->stream({});
    begun.set();
  });
  auto streamed = open_stream(client, {.peer = {.address = test.address}, .request = {}});
  CHECK(begun.wait());
  std::function<void()> fill = [&] {
    while (written < 60'000'000) {
      written += piece->size();
      if (!sink->write(piece)) return sink->on_room([&] { fill(); });
    }
    sink->finish();
  };
  fill();
  ::usleep(50'000);
  CHECK(written < 50'000'000);  // what the kernel and both buffers hold
  auto all = read_all(*streamed->body);
  CHECK(all.has_value());
  LONGS_EQUAL(60'000'000, all->size());
}

TEST(HttpClient, a_server_that_restarts_in_the_middle_of_a_stream_is_told_as_an_error) {
  std::unique_ptr<ByteSink> sink;
  std::optional<TestServer> test;
  test.emplace(threads, [&](std::unique_ptr<Exchange> exchange) {
    sink = exchange->stream({});
    sink->write(std::string("one"));
  });
  const std::string address = test->address;
  auto streamed = open_stream(client, {.peer = {.address = address}, .request = {}});
  CHECK(read_piece(*streamed->body).has_value());
  test.reset();
  auto end = read_all(*streamed->body);
  CHECK(!end.has_value());
  HttpServer again(threads, {}, answer_with("back"));
  CHECK(again.listen(address).has_value());
  auto response = get(client, {.address = address});
  CHECK(response.has_value() && response->text() == "back");
}

TEST(HttpClient, dropping_a_body_ends_the_stream_at_the_server) {
  std::unique_ptr<ByteSink> sink;
  Event closed;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    sink = exchange->stream({});
    sink->on_closed([&] { closed.set(); });
  });
  auto streamed = open_stream(client, {.peer = {.address = test.address}, .request = {}});
  CHECK(streamed.has_value());
  streamed->body.reset();
  CHECK(closed.wait());
}

TEST(HttpClient, upgrades_to_a_tunnel) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    std::shared_ptr<ByteStream> stream = exchange->upgrade({.headers = {{"Upgrade", "x"}}});
    stream->write(std::string("early"));
    stream->read([stream](Result<std::string> bytes) {
      stream->write("got " + *bytes);
      stream->finish();
    });
  });
  auto upgraded =
      open_tunnel(client, {.peer = {.address = test.address},
                           .request = {.headers = {{"Connection", "Upgrade"}, {"Upgrade", "x"}}}});
  CHECK(upgraded.has_value());
  LONGS_EQUAL(101, upgraded->response.status);
  CHECK(upgraded->stream != nullptr);
  auto early = read_piece(*upgraded->stream);
  CHECK(early.has_value() && *early == "early");
  upgraded->stream->write(std::string("this"));
  auto rest = read_all(*upgraded->stream);
  CHECK(rest.has_value() && *rest == "got this");
}

TEST(HttpClient, a_refused_upgrade_gives_the_answer) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    exchange->respond(text_response(403, "no"));
  });
  auto upgraded = open_tunnel(client, {.peer = {.address = test.address}, .request = {}});
  CHECK(upgraded.has_value());
  LONGS_EQUAL(403, upgraded->response.status);
  CHECK(upgraded->stream == nullptr);
  STRCMP_EQUAL("no", upgraded->response.text().c_str());
}

TEST(HttpClient, splices_a_tunnel_through_and_half_closes_travel) {
  // raw peer → front server → (client) → back server, as the API server does for exec.
  TestServer back(threads, [](std::unique_ptr<Exchange> exchange) {
    std::shared_ptr<ByteStream> stream = exchange->upgrade({});
    auto all = std::make_shared<std::string>();
    auto step = std::make_shared<std::function<void()>>();
    *step = [stream, all, weak = std::weak_ptr(step)] {
      stream->read([stream, all, step = weak.lock()](Result<std::string> bytes) {
        if (!bytes) return;
        if (!bytes->empty()) {
          *all += *bytes;
          return (*step)();
        }
        stream->write(std::to_string(all->size()) + " bytes");
        stream->finish();
      });
    };
    (*step)();
  });
  Event over;
  std::vector<Pending> pending;
  TestServer front(threads, [&](std::unique_ptr<Exchange> exchange) {
    auto shared = std::make_shared<std::unique_ptr<Exchange>>(std::move(exchange));
    pending.push_back(client.upgrade({.peer = {.address = back.address}, .request = {}},
                                     [&, shared](Result<HttpClient::Upgraded> upgraded) {
                                       splice((*shared)->upgrade(std::move(upgraded->response)),
                                              std::move(upgraded->stream), [&] { over.set(); });
                                     }));
  });
  RawPeer peer(front.address);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_until("\r\n\r\n"));
  CHECK(peer.send(std::string(5'000'000, 'x')));
  CHECK(!over.is_set());
  peer.finish();
  CHECK(peer.read_to_end());
  CHECK_TEXT(peer.received.ends_with("\r\n\r\n5000000 bytes"), peer.received.c_str());
  CHECK(over.wait());
}

TEST(HttpClient, a_lost_end_of_a_splice_cuts_the_other) {
  Event closed, over;
  std::shared_ptr<ByteStream> stream;
  TestServer back(threads, [&](std::unique_ptr<Exchange> exchange) {
    stream = exchange->upgrade({});
    stream->on_closed([&] { closed.set(); });
    stream->read([](Result<std::string>) {});
  });
  std::vector<Pending> pending;
  TestServer front(threads, [&](std::unique_ptr<Exchange> exchange) {
    auto shared = std::make_shared<std::unique_ptr<Exchange>>(std::move(exchange));
    pending.push_back(client.upgrade({.peer = {.address = back.address}, .request = {}},
                                     [&, shared](Result<HttpClient::Upgraded> upgraded) {
                                       splice((*shared)->upgrade({}), std::move(upgraded->stream),
                                              [&] { over.set(); });
                                     }));
  });
  RawPeer peer(front.address);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_until("\r\n\r\n"));
  peer.abort();
  CHECK(over.wait());
  CHECK(closed.wait());
}

TEST(HttpClient, takes_urls_apart) {
  struct Case {
    const char* url;
    bool tls;
    const char* address;
    const char* path;
  };
  const Case cases[] = {{"https://127.0.0.1:6443", true, "127.0.0.1:6443", ""},
                        {"http://host/base/", false, "host:80", "/base"},
                        {"https://[::1]:1/", true, "[::1]:1", ""},
                        {"https://[::1]", true, "[::1]:443", ""}};
  for (const Case& c : cases) {
    auto url = parse_url(c.url);
    CHECK_TEXT(url.has_value(), c.url);
    CHECK_EQUAL_TEXT(c.tls, url->tls, c.url);
    STRCMP_EQUAL_TEXT(c.address, url->address.c_str(), c.url);
    STRCMP_EQUAL_TEXT(c.path, url->path.c_str(), c.url);
  }
  for (const char* bad : {"", "host:1", "ftp://x", "https://", "https://a:b:c"}) {
    CHECK_TEXT(!parse_url(bad).has_value(), bad);
  }
}

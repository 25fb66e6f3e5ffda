// The server against a raw peer on loopback: what a request may be, and what it may not.
#include "base/http_server.h"

#include <thread>

#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

std::string describe(Exchange& exchange) {
  std::string text = exchange.request().method + " " + exchange.target().path;
  for (const auto& [key, value] : exchange.target().query) text += " " + key + "=" + value;
  return text + " [" + exchange.request().body + "]";
}

void echo(std::unique_ptr<Exchange> exchange) {
  std::string text = describe(*exchange);
  exchange->respond(text_response(200, std::move(text)));
}

constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_GROUP(HttpServer) {
  IoThreads threads{2};

  Limits small_limits() {
    Limits limits;
    limits.request_body_bytes = 1000;
    limits.request_header_bytes = 2000;
    return limits;
  }
};

TEST(HttpServer, answers_requests_of_one_connection_in_turn) {
  TestServer test(threads, echo);
  RawPeer peer(test.address);
  peer.send("GET /a?b=1&c=%20 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_until("GET /a b=1 c=  []"));
  peer.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz");
  CHECK(peer.read_until("POST /b [xyz]"));
  peer.send(
      "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  CHECK(peer.read_until("PUT /c [abc]"));
  LONGS_EQUAL(3, test.server.stats().requests);
  LONGS_EQUAL(1, test.server.stats().connections);
}

TEST(HttpServer, answers_pipelined_requests_in_order_without_nesting) {
  TestServer test(threads, echo);
  RawPeer peer(test.address);
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::thread writer([&] { peer.send(many); });
  CHECK(peer.read_until("GET /4999 []"));
  writer.join();
  CHECK(peer.received.find("GET /17 []") < peer.received.find("GET /18 []"));
}

TEST(HttpServer, takes_a_request_byte_by_byte) {
  TestServer test(threads, echo);
  RawPeer peer(test.address);
  const std::string request =
      "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\nTrailer: "
      "t\r\n\r\n";
  for (const char byte : request) peer.send(std::string(1, byte));
  CHECK(peer.read_until("POST /b [xyz]"));
}

TEST(HttpServer, head_has_the_length_but_no_body) {
  TestServer test(threads, echo);
  RawPeer peer(test.address);
  peer.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.read_until("\r\n\r\n"));
  CHECK(peer.received.contains("Content-Length: 10\r\n"));
  peer.send(simple_get);
  CHECK(peer.read_until("GET /a []"));
  CHECK(!peer.received.contains("HEAD"));
}

TEST(HttpServer, closes_after_the_answer_when_asked_or_of_old) {
  TestServer test(threads, echo);
  for (const char* request :
       {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"}) {
    RawPeer peer(test.address);
    peer.send(request);
    CHECK_TEXT(peer.read_to_end(), request);
    CHECK_TEXT(peer.received.contains("Connection: close\r\n"), request);
    CHECK_TEXT(peer.received.ends_with("GET /a []"), request);
  }
}

TEST(HttpServer, refuses_what_is_no_http_and_closes) {
  struct Case {
    const char* request;
    const char* status;
  };
  const Case cases[] = {
      {"\x16\x03\x01\x02\x01\x01\x01\xfc", "400 "},  // a TLS greeting
      {"GET\r\n\r\n", "400 "},
      {"GET / HTTP/3.0\r\n\r\n", "400 "},
      {"GET / HTTP/1.1\r\n\r\n", "400 "},  // no Host
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400 "},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "400 "},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "413 "},
  };
  TestServer test(threads, echo, {.limits = small_limits()});
  for (const Case& c : cases) {
    RawPeer peer(test.address);
    peer.send(c.request);
    CHECK_TEXT(peer.read_to_end(), c.request);
    CHECK_TEXT(peer.received.starts_with(std::string("HTTP/1.1 ") + c.status),
               peer.received.c_str());
    CHECK_TEXT(peer.received.contains("Connection: close\r\n"), c.request);
  }
  LONGS_EQUAL(0, test.server.stats().requests);
  LONGS_EQUAL(12, test.server.stats().refused);
}

TEST(HttpServer, the_owner_words_its_refusals) {
  TestServer test(threads, echo,
                  {.limits = small_limits(), .refuse = [](int status, std::string_view message) {
                     return text_response(status, "{" + std::string(message) + "}");
                   }});
  RawPeer peer(test.address);
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  CHECK(peer.read_until("{"));
  CHECK(peer.received.starts_with("HTTP/1.1 413 "));
}

TEST(HttpServer, headers_are_bounded_in_all_their_shapes) {
  TestServer test(threads, echo, {.limits = small_limits()});
  const std::string line_of_4000 = "GET /" + std::string(4000, 'a');
  std::string many_fields = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 500; ++i) many_fields += "A: 1234567890\r\n";
  const std::string long_field = "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(3000, 'b');
  for (const std::string& request : {line_of_4000, many_fields, long_field}) {
    RawPeer peer(test.address);
    peer.send(request);
    CHECK(peer.read_to_end());
    CHECK_TEXT(peer.received.starts_with("HTTP/1.1 431 "), peer.received.c_str());
  }
}

TEST(HttpServer, what_lies_between_chunks_is_bounded) {
  TestServer test(threads, echo, {.limits = small_limits()});
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string endless_extension = head + "1;" + std::string(100'000, 'e');
  std::string endless_trailers = head + "1\r\na\r\n0\r\n";
  while (endless_trailers.size() < 100'000) endless_trailers += "T: 1\r\n";
  for (const std::string& request : {endless_extension, endless_trailers}) {
    RawPeer peer(test.address);
    peer.send(request);
    CHECK(peer.read_to_end());
    CHECK_TEXT(peer.received.starts_with("HTTP/1.1 400 "), peer.received.c_str());
  }
}

TEST(HttpServer, reads_what_a_refused_client_still_sends_so_that_it_sees_the_answer) {
  TestServer test(threads, echo, {.limits = small_limits()});
  RawPeer peer(test.address);
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  CHECK(peer.send(std::string(1'000'000, 'x')));
  CHECK(peer.read_until("413 "));
  CHECK(!peer.reset);
}

TEST(HttpServer, says_continue_to_those_who_wait_for_it) {
  TestServer test(threads, echo, {.limits = small_limits()});
  RawPeer peer(test.address);
  peer.send("PUT /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(peer.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  peer.send("ab");
  CHECK(peer.read_until("PUT /c [ab]"));
  RawPeer too_large(test.address);
  too_large.send(
      "PUT /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
  CHECK(too_large.read_to_end());
  CHECK(too_large.received.starts_with("HTTP/1.1 413 "));
}

TEST(HttpServer, a_slow_request_ends_by_its_deadline_however_it_trickles) {
  Limits limits;
  limits.request_header_timeout = 300ms;
  limits.request_body_timeout = 300ms;
  limits.idle_timeout = 300ms;
  TestServer test(threads, echo, {.limits = limits});
  struct Case {
    const char* begin;
    const char* trickle;
    const char* answer;  // "": closed without one
  };
  const Case cases[] = {
      {"", "", ""},
      {"GET / HTTP/1.1\r\n", "A: b\r\n", "HTTP/1.1 408 "},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n", "x", "HTTP/1.1 408 "},
      {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n",
       "HTTP/1.1 408 "},
  };
  for (const Case& c : cases) {
    RawPeer peer(test.address);
    const auto begin = std::chrono::steady_clock::now();
    peer.send(c.begin);
    std::atomic<bool> over = false;
    std::thread trickling([&] {
      while (!over && peer.send(c.trickle)) ::usleep(20'000);
    });
    peer.read_to_end();
    over = true;
    trickling.join();
    CHECK_TEXT(peer.ended, c.begin);
    CHECK_TEXT(peer.received.starts_with(c.answer), peer.received.c_str());
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK_TEXT(took >= 290ms && took < 8s, c.begin);
  }
}

TEST(HttpServer, an_idle_connection_is_closed) {
  Limits limits;
  limits.idle_timeout = 100ms;
  TestServer test(threads, echo, {.limits = limits});
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_to_end());
  CHECK(peer.received.ends_with("GET /a []"));
}

TEST(HttpServer, a_peer_that_does_not_read_its_answer_is_cut) {
  Limits limits;
  limits.send_timeout = 200ms;
  auto big = make_bytes(std::string(64 * 1024 * 1024, 'x'));
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) { exchange->respond({.body = {big}}); },
                  {.limits = limits});
  RawPeer peer(test.address);
  peer.send(simple_get);
  Event gone;
  std::thread watcher([&] {
    while (test.server.stats().connections != 0 || test.server.stats().requests == 0)
      ::usleep(1000);
    gone.set();
  });
  CHECK(gone.wait());
  watcher.join();
}

TEST(HttpServer, a_large_answer_arrives_whole) {
  std::string big(20'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i % 26);
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    exchange->respond(
        {.body = {make_bytes(big.substr(0, 7)), make_bytes(""), make_bytes(big.substr(7))}});
  });
  RawPeer peer(test.address);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(peer.read_to_end());
  CHECK(peer.received.ends_with(big));
}

TEST(HttpServer, more_connections_than_allowed_are_turned_away) {
  Limits limits;
  limits.connections = 2;
  TestServer test(threads, echo, {.limits = limits});
  RawPeer first(test.address), second(test.address);
  first.send(simple_get);
  second.send(simple_get);
  CHECK(first.read_until("[]") && second.read_until("[]"));
  RawPeer third(test.address);
  third.send(simple_get);
  CHECK(third.read_to_end());
  STRCMP_EQUAL("", third.received.c_str());
  LONGS_EQUAL(1, test.server.stats().turned_away);
}

TEST(HttpServer, bodies_being_received_are_bounded_together) {
  Limits limits;
  limits.request_bodies_bytes = 100'000;
  TestServer test(threads, echo, {.limits = limits});
  RawPeer first(test.address), second(test.address);
  const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n";
  first.send(head + std::string(79'999, 'x'));
  // Only when the first's bytes are counted is the second's refusal certain.
  bool refused = false;
  for (int attempt = 0; attempt < 100 && !refused; ++attempt) {
    RawPeer other(test.address);
    other.send(head + std::string(79'999, 'y'));
    other.finish();
    other.read_to_end();
    refused = other.received.starts_with("HTTP/1.1 503 ");
  }
  CHECK(refused);
  first.send("x");
  CHECK(first.read_until("200 OK"));
}

TEST(HttpServer, any_thread_may_answer) {
  std::vector<std::thread> workers;
  std::mutex mutex;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    std::lock_guard lock(mutex);
    workers.emplace_back([exchange = std::move(exchange)]() mutable { echo(std::move(exchange)); });
  });
  RawPeer peer(test.address);
  for (int i = 0; i < 50; ++i) {
    peer.received.clear();
    peer.send(simple_get);
    CHECK(peer.read_until("GET /a []"));
  }
  std::lock_guard lock(mutex);
  for (auto& worker : workers) worker.join();
}

TEST(HttpServer, a_dropped_exchange_answers_500) {
  TestServer test(threads, [](std::unique_ptr<Exchange>) {});
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("HTTP/1.1 500 "));
}

TEST(HttpServer, tells_when_the_client_leaves_before_the_answer) {
  for (const bool by_reset : {false, true}) {
    Event handled, gone;
    std::unique_ptr<Exchange> kept;
    TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
      kept = std::move(exchange);
      kept->on_closed([&] { gone.set(); });
      handled.set();
    });
    RawPeer peer(test.address);
    peer.send(simple_get);
    CHECK(handled.wait());
    CHECK(!gone.is_set());
    by_reset ? peer.abort() : peer.close();
    CHECK(gone.wait());
    kept->respond({});  // goes nowhere
  }
}

TEST(HttpServer, survives_clients_that_leave_in_the_middle) {
  TestServer test(threads, echo);
  for (int i = 0; i < 50; ++i) {
    RawPeer peer(test.address);
    peer.send("PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    i % 2 == 0 ? peer.abort() : peer.close();
  }
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("GET /a []"));
}

TEST(HttpServer, stops_when_the_last_answer_is_given) {
  Event handled, stopped;
  std::unique_ptr<Exchange> kept;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    kept = std::move(exchange);
    handled.set();
  });
  RawPeer idle(test.address), busy(test.address);
  busy.send(simple_get);
  CHECK(handled.wait());
  test.server.stop(patience, [&] { stopped.set(); });
  CHECK(idle.read_to_end());
  CHECK(!stopped.is_set());
  kept->respond(text_response(200, "late"));
  CHECK(busy.read_until("late"));
  CHECK(busy.received.contains("Connection: close"));
  busy.close();
  CHECK(stopped.wait());
  auto connecting = start_connect(test.address);
  if (connecting) {
    pollfd poll{connecting->get(), POLLOUT, 0};
    LONGS_EQUAL(1, ::poll(&poll, 1, static_cast<int>(patience / 1ms)));
    CHECK((poll.revents & POLLERR) != 0);  // refused
  }
}

TEST(HttpServer, cuts_what_is_left_when_the_grace_has_passed) {
  Event stopped, closed;
  std::unique_ptr<ByteSink> stream;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    stream = exchange->stream({});
    stream->on_closed([&] { closed.set(); });
    stream->write(std::string("begun"));
  });
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("begun"));
  test.server.stop(50ms, [&] { stopped.set(); });
  CHECK(stopped.wait());
  CHECK(closed.wait());
  CHECK(peer.read_to_end());
}

// Answers that are streams, tunnels or WebSockets, against a raw peer.
#include <thread>

#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view upgrade_request =
    "POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";

std::string websocket_request(const std::string& protocols) {
  return "GET /exec HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
         "WebSocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Protocol: " +
         protocols + "\r\n\r\n";
}

// A frame as a client sends it: masked. RFC 6455, section 5.2.
std::string client_frame(int opcode, const std::string& payload, bool last = true) {
  std::string frame;
  frame += static_cast<char>((last ? 0x80 : 0) | opcode);
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65536) {
    frame += static_cast<char>(0x80 | 126);
    frame += {static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      frame += static_cast<char>(payload.size() >> shift);
  }
  const char mask[4] = {1, 2, 3, 4};
  frame.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ mask[i % 4]);
  return frame;
}

std::string server_frame(int opcode, const std::string& payload) {  // short ones
  return std::string{static_cast<char>(0x80 | opcode), static_cast<char>(payload.size())} + payload;
}

// Echoes messages until the client closes.
void echo_messages(std::shared_ptr<WebSocket> socket) {
  socket->read([socket](Result<WebSocket::Message> message) {
    if (!message) return;
    socket->write("echo " + message->data);
    echo_messages(socket);
  });
}

void echo_bytes(std::shared_ptr<ByteStream> stream) {
  stream->read([stream](Result<std::string> bytes) {
    if (!bytes) return;
    if (bytes->empty()) {
      stream->write(std::string("bye"));
      return stream->finish();
    }
    stream->write(std::move(*bytes));
    echo_bytes(stream);
  });
}

}  // namespace

TEST_GROUP(HttpStream) {
  IoThreads threads{2};
};

TEST(HttpStream, a_streamed_answer_comes_in_chunks_and_the_connection_goes_on) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    auto stream = exchange->stream({.headers = {{"Content-Type", "text/plain"}}});
    stream->write(std::string("one"));
    stream->write(std::string("two"));
    stream->finish();
  });
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("\r\n0\r\n\r\n"));
  CHECK(peer.received.contains("Transfer-Encoding: chunked\r\n"));
  CHECK(peer.received.ends_with("\r\n\r\n6\r\nonetwo\r\n0\r\n\r\n"));
  peer.received.clear();
  peer.send(simple_get);
  CHECK(peer.read_until("onetwo\r\n0\r\n\r\n"));
}

TEST(HttpStream, each_write_is_sent_at_once) {
  std::unique_ptr<ByteSink> stream;
  Event ready;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    stream = exchange->stream({});
    ready.set();
  });
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(ready.wait());
  for (const char* piece : {"first", "second", "third"}) {
    stream->write(std::string(piece));
    CHECK(peer.read_until(piece));
  }
}

TEST(HttpStream, an_empty_stream_is_a_whole_answer) {
  TestServer test(threads,
                  [](std::unique_ptr<Exchange> exchange) { exchange->stream({})->finish(); });
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("\r\n\r\n0\r\n\r\n"));
}

TEST(HttpStream, old_clients_get_it_without_chunks_until_the_end) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    auto stream = exchange->stream({});
    stream->write(std::string("plain"));
    stream->finish();
  });
  RawPeer peer(test.address);
  peer.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(peer.read_to_end());
  CHECK(peer.received.ends_with("\r\n\r\nplain"));
}

TEST(HttpStream, dropping_it_unfinished_breaks_the_connection) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    exchange->stream({})->write(std::string("half"));
  });
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_to_end());
  CHECK(!peer.received.contains("\r\n0\r\n"));
}

TEST(HttpStream, tells_when_the_client_leaves) {
  for (const bool by_reset : {false, true}) {
    std::unique_ptr<ByteSink> stream;
    Event begun, closed;
    TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
      stream = exchange->stream({});
      stream->on_closed([&] { closed.set(); });
      begun.set();
    });
    RawPeer peer(test.address);
    peer.send(simple_get);
    CHECK(begun.wait());
    CHECK(!closed.is_set());
    by_reset ? peer.abort() : peer.close();
    CHECK(closed.wait());
    CHECK(stream->write(std::string("ignored")));
  }
}

TEST(HttpStream, says_when_to_wait_and_when_there_is_room_again) {
  Limits limits;
  limits.stream_buffer_bytes = 1'000'000;
  std::unique_ptr<ByteSink> stream;
  Event begun;
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) {
                    stream = exchange->stream({});
                    begun.set();
                  },
                  {.limits = limits});
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(begun.wait());
  // The kernel takes some megabytes first; then no room comes until somebody reads.
  std::size_t written = 0;
  auto piece = make_bytes(std::string(100'000, 'x'));
  std::shared_ptr<Event> room;
  do {
    do {
      written += piece->size();
      CHECK(written < 100'000'000);
    } while (stream->write(piece));
    room = std::make_shared<Event>();
    stream->on_room([room] { room->set(); });
    ::usleep(50'000);
  } while (room->is_set());
  std::thread reader([&] { peer.read_until("the end"); });
  CHECK(room->wait());
  CHECK(stream->write(std::string("the end")));
  reader.join();
  CHECK(peer.received.contains("the end"));
  CHECK(peer.received.size() >= written);
}

TEST(HttpStream, a_writer_that_never_waits_is_cut_off) {
  Limits limits;
  limits.stream_buffer_bytes = 100'000;
  std::unique_ptr<ByteSink> stream;
  Event begun, closed;
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) {
                    stream = exchange->stream({});
                    stream->on_closed([&] { closed.set(); });
                    begun.set();
                  },
                  {.limits = limits});
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(begun.wait());
  auto piece = make_bytes(std::string(50'000, 'x'));
  for (int i = 0; i < 100'000 && !closed.is_set(); ++i) stream->write(piece);
  CHECK(closed.wait());
}

TEST(HttpStream, one_large_piece_may_follow_a_little) {
  Limits limits;
  limits.stream_buffer_bytes = 1000;
  const std::string large(1'000'000, 'x');
  TestServer test(threads,
                  [&](std::unique_ptr<Exchange> exchange) {
                    auto stream = exchange->stream({});
                    CHECK(stream->write(std::string("little")));
                    CHECK(!stream->write(large));
                    stream->finish();
                  },
                  {.limits = limits});
  RawPeer peer(test.address);
  peer.send(simple_get);
  CHECK(peer.read_until("\r\n0\r\n\r\n"));
  CHECK(peer.received.contains("little" + large));
}

TEST(HttpStream, many_streams_share_the_same_bytes) {
  std::mutex mutex;
  std::vector<std::unique_ptr<ByteSink>> streams;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    std::lock_guard lock(mutex);
    streams.push_back(exchange->stream({}));
  });
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(std::make_unique<RawPeer>(test.address));
    peers.back()->send(simple_get);
    CHECK(peers.back()->read_until("\r\n\r\n"));
  }
  auto event = make_bytes("the same event");
  {
    std::lock_guard lock(mutex);
    LONGS_EQUAL(50, streams.size());
    for (auto& stream : streams) stream->write(event);
  }
  for (auto& peer : peers) CHECK(peer->read_until("the same event"));
}

TEST(HttpStream, a_tunnel_carries_bytes_both_ways_and_half_closes) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    echo_bytes(exchange->upgrade({.headers = {{"Upgrade", "SPDY/3.1"}}}));
  });
  RawPeer peer(test.address);
  peer.send(std::string(upgrade_request) + "early");
  CHECK(peer.read_until("\r\n\r\nearly"));
  CHECK(peer.received.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(peer.received.contains("Connection: Upgrade\r\n"));
  CHECK(peer.received.contains("Upgrade: SPDY/3.1\r\n"));
  peer.send("later");
  CHECK(peer.read_until("later"));
  peer.finish();
  CHECK(peer.read_to_end());
  CHECK(peer.received.ends_with("laterbye"));
}

TEST(HttpStream, a_tunnel_tells_of_a_lost_peer) {
  Event lost, closed;
  std::shared_ptr<ByteStream> stream;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    stream = exchange->upgrade({});
    stream->on_closed([&] { closed.set(); });
    stream->read([&](Result<std::string> bytes) {
      if (!bytes) lost.set();
    });
  });
  RawPeer peer(test.address);
  peer.send(upgrade_request);
  CHECK(peer.read_until("\r\n\r\n"));
  peer.abort();
  CHECK(lost.wait());
  CHECK(closed.wait());
}

TEST(HttpStream, a_dropped_tunnel_is_cut_but_a_finished_one_is_sent_first) {
  auto big = make_bytes(std::string(900'000, 'x'));
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    const bool finishes = exchange->target().path == "/finish";
    auto stream = exchange->upgrade({});
    stream->write(big);
    if (finishes) stream->finish();
  });
  RawPeer cut(test.address);
  cut.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(cut.read_to_end());
  RawPeer finished(test.address);
  finished.send("GET /finish HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(finished.read_to_end());
  CHECK(finished.received.ends_with(*big));
}

TEST(HttpStream, a_websocket_echoes_messages) {
  TestServer test(threads, [](std::unique_ptr<Exchange> exchange) {
    const std::string_view spoken[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};
    auto socket = exchange->accept_websocket(spoken);
    socket->write("hello " + socket->subprotocol());
    echo_messages(std::move(socket));
  });
  RawPeer peer(test.address);
  // The frame that comes right behind the request is not lost.
  peer.send(websocket_request("v1, v4.channel.k8s.io,v5.channel.k8s.io") +
            client_frame(2, "early"));
  CHECK(peer.read_until("\r\n\r\n"));
  CHECK(peer.received.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455's own example
  CHECK(peer.received.contains("Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"));
  CHECK(peer.read_until(server_frame(2, "hello v5.channel.k8s.io")));
  CHECK(peer.read_until(server_frame(2, "echo early")));
  peer.send(client_frame(2, std::string("\xff\x00", 2)));
  CHECK(peer.read_until(server_frame(2, std::string("echo \xff\x00", 7))));
  peer.send(client_frame(9, "ping"));
  CHECK(peer.read_until(server_frame(10, "ping")));
  peer.send(client_frame(2, "in ", false) + client_frame(0, "pieces"));
  CHECK(peer.read_until(server_frame(2, "echo in pieces")));
  peer.send(client_frame(2, std::string(200'000, 'x')));
  CHECK(peer.read_until(std::string(200'000, 'x')));
  peer.send(client_frame(8, std::string("\x03\xe8", 2)));
  CHECK(peer.read_until(server_frame(8, std::string("\x03\xe8", 2))));
  CHECK(peer.read_to_end());
}

TEST(HttpStream, a_websocket_sends_its_close_after_its_messages) {
  Event closed;
  std::shared_ptr<WebSocket> socket;
  std::string said;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    socket = exchange->accept_websocket({});
    socket->on_closed([&] { closed.set(); });
    socket->read([&](Result<WebSocket::Message> message) {
      if (!message) said = message.error().message;
    });
    socket->write(std::string("last"));
    socket->close(4001, "over");
  });
  RawPeer peer(test.address);
  peer.send(websocket_request("x"));
  CHECK(peer.read_until(server_frame(2, "last") + server_frame(8, "\x0f\xa1over")));
  CHECK(!closed.is_set());
  peer.send(client_frame(8, "\x0f\xa1thanks"));
  CHECK(peer.read_to_end());
  CHECK(closed.wait());
  CHECK_TEXT(said.contains("4001 thanks"), said.c_str());
}

TEST(HttpStream, a_request_for_no_websocket_is_refused) {
  Event refused;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    const std::string_view spoken[] = {"v5.channel.k8s.io"};
    if (exchange->accept_websocket(spoken) == nullptr) refused.set();
  });
  for (const std::string& request :
       {std::string(simple_get), websocket_request("v9.channel.k8s.io"),
        std::string(upgrade_request)}) {
    RawPeer peer(test.address);
    peer.send(request);
    CHECK_TEXT(peer.read_until("HTTP/1.1 400 "), request.c_str());
  }
  CHECK(refused.wait());
}

TEST(HttpStream, a_websocket_with_a_bad_peer_ends_with_an_error) {
  struct Case {
    const char* what;
    std::string bytes;
  };
  const Case cases[] = {
      {"not masked", server_frame(2, "x")},
      {"unknown opcode", client_frame(5, "x")},
      {"over the bound", client_frame(2, std::string(3000, 'x'))},
      {"continues nothing", client_frame(0, "x")},
      {"no frame at all", std::string(100, '\xff')},
  };
  Limits limits;
  limits.websocket_message_bytes = 2000;
  for (const Case& c : cases) {
    Event ended;
    std::shared_ptr<WebSocket> socket;
    TestServer test(threads,
                    [&](std::unique_ptr<Exchange> exchange) {
                      socket = exchange->accept_websocket({});
                      socket->read([&](Result<WebSocket::Message> message) {
                        if (!message) ended.set();
                      });
                    },
                    {.limits = limits});
    RawPeer peer(test.address);
    peer.send(websocket_request("x"));
    CHECK(peer.read_until("\r\n\r\n"));
    peer.send(c.bytes);
    CHECK_TEXT(ended.wait(), c.what);
    CHECK_TEXT(peer.read_to_end(), c.what);
  }
}

TEST(HttpStream, a_flood_of_messages_waits_for_the_reader) {
  std::shared_ptr<WebSocket> socket;
  Event accepted;
  TestServer test(threads, [&](std::unique_ptr<Exchange> exchange) {
    socket = exchange->accept_websocket({});
    accepted.set();
  });
  RawPeer peer(test.address);
  peer.send(websocket_request("x"));
  CHECK(accepted.wait());
  std::thread flood([&] {
    const std::string frame = client_frame(2, std::string(10'000, 'x'));
    for (int i = 0; i < 2000; ++i) peer.send(frame);
  });
  for (int i = 0; i < 2000; ++i) {
    auto given = std::make_shared<Given<Result<WebSocket::Message>>>();
    socket->read([given](Result<WebSocket::Message> message) { given->give(std::move(message)); });
    auto message = given->wait();
    CHECK(message.has_value() && message->has_value());
    LONGS_EQUAL(10'000, (*message)->data.size());
  }
  flood.join();
}

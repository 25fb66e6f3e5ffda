// What the HTTP tests share: servers on loopback, a raw peer that may misbehave, calls that block.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <utility>

#include "base/http_client.h"
#include "base/http_server.h"
#include "base/net.h"
#include "base/x509.h"

namespace keelson::http_test {

inline constexpr auto patience = 10s;  // real time, only ever spent by a test that fails

// A value that another thread gives.
template <typename T>
class Given {
 public:
  void give(T value) { promise_.set_value(std::move(value)); }
  Result<T> wait() {
    auto future = promise_.get_future();
    if (future.wait_for(patience) != std::future_status::ready) {
      return fail(Reason::Timeout, "nothing came within the test's patience");
    }
    return future.get();
  }

 private:
  std::promise<T> promise_;
};

// Becomes true on another thread.
class Event {
 public:
  void set() { flag_ = true; }
  void clear() { flag_ = false; }
  bool is_set() const { return flag_; }
  bool wait() const {
    for (auto end = std::chrono::steady_clock::now() + patience;
         !flag_ && std::chrono::steady_clock::now() < end;) {
      ::usleep(500);
    }
    return flag_;
  }

 private:
  std::atomic<bool> flag_ = false;
};

// A blocking TCP peer that writes whatever it is told.
class RawPeer {
 public:
  explicit RawPeer(const std::string& address) : fd_(std::move(*start_connect(address))) {
    wait(POLLOUT);
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait(POLLOUT)) return false;
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) continue;
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Reads until the text is seen or the connection ends; what has come is in received.
  bool read_until(std::string_view text) {
    while (!received.contains(text)) {
      if (!read_some()) return false;
    }
    return true;
  }
  bool read_to_end() {
    while (read_some()) {
    }
    return ended;
  }
  bool read_some() {
    char buffer[64 * 1024];
    if (!wait(POLLIN)) return false;
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (got <= 0) {
      ended = true;
      reset = got < 0;
      return false;
    }
    received.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  void finish() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_ = Fd(); }
  void abort() {  // RST
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }
  int fd() const { return fd_.get(); }

  std::string received;
  bool ended = false;
  bool reset = false;

 private:
  bool wait(short what) {
    pollfd poll{fd_.get(), what, 0};
    return ::poll(&poll, 1, static_cast<int>(patience / 1ms)) == 1;
  }
  Fd fd_;
};

// A server of one handler on a free port of loopback.
struct TestServer {
  TestServer(IoThreads& threads, HttpServer::Handler handler, HttpServerOptions options = {})
      : server(threads, std::move(options), std::move(handler)),
        address(*server.listen("127.0.0.1:0")) {}
  HttpServer server;
  std::string address;
};

inline Result<HttpResponse> fetch(HttpClient& client, HttpCall call) {
  auto given = std::make_shared<Given<Result<HttpResponse>>>();
  Pending pending = client.fetch(std::move(call), [given](Result<HttpResponse> response) {
    given->give(std::move(response));
  });
  auto response = given->wait();
  return response ? std::move(*response) : Result<HttpResponse>(std::unexpected(response.error()));
}

inline Result<HttpResponse> get(HttpClient& client, const HttpPeer& peer,
                                const std::string& target = "/") {
  return fetch(client, {.peer = peer, .request = {.target = target}});
}

inline Result<HttpClient::Streamed> open_stream(HttpClient& client, HttpCall call) {
  auto given = std::make_shared<Given<Result<HttpClient::Streamed>>>();
  Pending pending = client.stream(std::move(call), [given](Result<HttpClient::Streamed> streamed) {
    given->give(std::move(streamed));
  });
  auto streamed = given->wait();
  if (!streamed) return std::unexpected(streamed.error());
  return std::move(*streamed);
}

inline Result<HttpClient::Upgraded> open_tunnel(HttpClient& client, HttpCall call) {
  auto given = std::make_shared<Given<Result<HttpClient::Upgraded>>>();
  Pending pending = client.upgrade(std::move(call), [given](Result<HttpClient::Upgraded> upgraded) {
    given->give(std::move(upgraded));
  });
  auto upgraded = given->wait();
  if (!upgraded) return std::unexpected(upgraded.error());
  return std::move(*upgraded);
}

inline Result<std::string> read_piece(ByteSource& source) {
  auto given = std::make_shared<Given<Result<std::string>>>();
  source.read([given](Result<std::string> bytes) { given->give(std::move(bytes)); });
  auto bytes = given->wait();
  if (!bytes) return std::unexpected(bytes.error());
  return std::move(*bytes);
}

// All pieces until the end; an error ends it too and is returned.
inline Result<std::string> read_all(ByteSource& source) {
  std::string all;
  for (;;) {
    auto piece = read_piece(source);
    if (!piece) return piece;
    if (piece->empty()) return all;
    all += *piece;
  }
}

inline HttpResponse text_response(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain"}},
          .body = {make_bytes(std::move(body))}};
}

inline HttpServer::Handler answer_with(std::string body) {
  return [body = make_bytes(std::move(body))](std::unique_ptr<Exchange> exchange) {
    exchange->respond({.body = {body}});
  };
}

}  // namespace keelson::http_test

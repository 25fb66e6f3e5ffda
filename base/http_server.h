// An HTTP server: connections on I/O threads, each request handed over as an Exchange that any
// thread may answer. HTTP/1.1 now; what a handler sees does not depend on the version.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/io_threads.h"
#include "base/limits.h"
#include "base/tls.h"

namespace keelson {

// One request and the one answer to it: exactly one of respond, stream, upgrade and
// accept_websocket is called, once, from any thread. An Exchange that is dropped unanswered answers
// 500. It may outlive its client (answers then go nowhere), never the IoThreads.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual HttpRequest& request() = 0;  // the body may be moved out
  virtual const HttpTarget& target() const = 0;
  virtual const TlsPeer* peer() const = 0;  // null: no certificate was shown
  virtual const std::string& remote_address() const = 0;

  virtual void respond(HttpResponse response) = 0;
  // The head now (its body is ignored), then the body as it is written; finish() ends it well,
  // dropping it unfinished breaks the connection, so that the client can tell.
  virtual std::unique_ptr<ByteSink> stream(HttpResponse head) = 0;
  // 101 with these headers (and Connection: Upgrade), then the bare connection.
  virtual std::unique_ptr<ByteStream> upgrade(HttpResponse head) = 0;
  // Null: it was no WebSocket request or offered none of these subprotocols, and has been answered
  // so (400). Ours come in order of preference; empty: none is spoken.
  virtual std::unique_ptr<WebSocket> accept_websocket(
      std::span<const std::string_view> subprotocols) = 0;

  // Once, if the client goes away before the answer begins.
  virtual void on_closed(Task task) = 0;
};

struct HttpServerOptions {
  TlsContextPtr tls = {};  // null: plain HTTP, for tests and Unix sockets
  Limits limits = {};
  // The body of an answer that no handler gave: 400 for what is not HTTP, 408, 413, 431, 500, 503.
  // Any thread. Null: plain text.
  std::function<HttpResponse(int status, std::string_view message)> refuse = {};
};

class HttpServer {
 public:
  // On an I/O thread, several at once; must not block.
  using Handler = std::function<void(std::unique_ptr<Exchange>)>;

  HttpServer(IoThreads& threads, HttpServerOptions options, Handler handler);
  ~HttpServer();  // cuts what is left; not from an I/O thread
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  Result<std::string> listen(std::string_view address);  // the address with its real port
  void listen(Fd listener);
  void set_tls(TlsContextPtr tls);  // for connections from now on

  // No new connections; idle ones are closed, the others after their answer. Streams learn of it by
  // on_closed when the grace has passed and they are cut. stopped: on an I/O thread.
  void stop(Duration grace, Task stopped);

  struct Stats {
    int connections = 0;            // open
    std::uint64_t requests = 0;     // handed to the handler
    std::uint64_t refused = 0;      // answered without it
    std::uint64_t turned_away = 0;  // connections over the bound
  };
  Stats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keelson

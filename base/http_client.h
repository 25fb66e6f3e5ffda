// An HTTP client: requests over pooled connections, bodies whole or as they come, and tunnels.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/byte_stream.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/limits.h"
#include "base/system_loop.h"
#include "base/tls.h"

namespace keelson {

// Whom to talk to. Connections are shared by calls whose peers are equal.
struct HttpPeer {
  std::string address;     // "10.89.0.11:10250", "localhost:6443", "unix:/run/…"
  std::string host = {};   // Host header, and the name or address the certificate must bear; empty:
                           // that of the address
  TlsContextPtr tls = {};  // null: plain HTTP
  bool operator==(const HttpPeer&) const = default;
};
struct HttpUrl {
  bool tls = false;
  std::string address;  // with its port
  std::string path;     // without trailing slash
};
Result<HttpUrl> parse_url(std::string_view url);  // "https://127.0.0.1:6443/base"

struct HttpCall {
  HttpPeer peer;
  HttpRequest request;
  Duration timeout = 30s;  // until the head of the answer; fetch: until its last byte
};

// Any thread may call; callbacks run on the loop's thread, each call gets exactly one. Dropping a
// call's Pending cancels it: on the loop's thread nothing follows; on another thread a callback
// that is running may still end after that.
class HttpClient {
 public:
  // Makes the socket to an address, connected or about to be: for other network namespaces, proxies
  // and tests. On the loop's thread; must not block.
  using Dial = std::function<Result<Fd>(const std::string& address)>;

  HttpClient(SystemLoop& loop, const Limits& limits, Dial dial = {});  // without: TCP or Unix
  ~HttpClient();  // calls in progress end with an error
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The whole answer, of any status; its body is at most Limits::response_body_bytes.
  using OnResponse = std::move_only_function<void(Result<HttpResponse>)>;
  [[nodiscard]] Pending fetch(HttpCall call, OnResponse done);

  // The head, then the body piece by piece: watches, logs. body is never null.
  struct Streamed {
    HttpResponse head;
    std::unique_ptr<ByteSource> body;
  };
  using OnStream = std::move_only_function<void(Result<Streamed>)>;
  [[nodiscard]] Pending stream(HttpCall call, OnStream done);

  // The call's headers say what to upgrade to. stream is null unless the answer is 101; then the
  // response is whole, as fetch gives it.
  struct Upgraded {
    HttpResponse response;
    std::unique_ptr<ByteStream> stream;
  };
  using OnUpgrade = std::move_only_function<void(Result<Upgraded>)>;
  [[nodiscard]] Pending upgrade(HttpCall call, OnUpgrade done);

  SystemLoop& loop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keelson

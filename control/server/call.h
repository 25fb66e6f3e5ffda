// One request on its way through the server, and the one answer it gets: who asks, in which form
// the answer goes out, and what is written about it in the log.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/http_server.h"
#include "control/registry/registry.h"
#include "control/server/authenticate.h"
#include "control/server/negotiate.h"

namespace keelson {

// How many requests are in work; streams do not count. Any thread.
class InFlight {
 public:
  // A place that is given back when the token goes.
  using Token = std::shared_ptr<void>;
  Token enter(int max);  // null: there is no place

 private:
  std::shared_ptr<std::atomic<int>> count_ = std::make_shared<std::atomic<int>>(0);
};

// Moved from thread to thread with the work; never used by two at once.
class Call {
 public:
  Call(std::unique_ptr<Exchange> exchange, std::uint64_t id, const Clock& clock);

  const HttpRequest& request() const { return exchange_->request(); }
  const HttpTarget& target() const { return exchange_->target(); }
  Exchange& exchange() { return *exchange_; }
  std::string take_body() { return std::move(exchange_->request().body); }

  Identity identity;
  RequestContext context;  // of a write; its warnings go out with the answer
  Output output;
  InFlight::Token token;

  // Each ends the call; what was set up before goes with it.
  void respond(HttpResponse response);
  void fail(const Error& error);
  void respond_text(int status, std::string text);               // text/plain
  void respond_document(std::string_view type, Bytes document);  // 200
  std::unique_ptr<ByteSink> stream(HttpResponse head);
  std::unique_ptr<ByteStream> upgrade(HttpResponse head);

 private:
  void complete(HttpResponse& response);

  std::unique_ptr<Exchange> exchange_;
  const std::uint64_t id_;
  const Clock& clock_;
  const Instant began_;
};
using CallPtr = std::unique_ptr<Call>;

// The answer that says no: a Status, in the form that was asked for.
HttpResponse status_response(const Error& error, const Output& output = {});
// The answer of the HTTP server to what no handler has seen.
HttpResponse refusal(int status, std::string_view message);

}  // namespace keelson

// One HTTP/1.1 connection of a server: requests one after the other, each handed over as an
// Exchange and answered before the next is read.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/http1_parser.h"
#include "base/http1_writer.h"
#include "base/http_server.h"
#include "base/outbox.h"
#include "base/wire.h"

namespace keelson {

// What all connections of a server share; any thread.
struct HttpServerShared {
  HttpServerOptions options;
  HttpServer::Handler handler;
  std::atomic<int> connections = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> turned_away = 0;
  std::atomic<std::size_t> body_bytes = 0;  // of requests that are being received or answered

  HttpResponse refusal(int status, std::string_view message) const;
};

// All on the loop's thread, but for the Exchange that it hands out.
class Http1Connection final : public Wire::User,
                              public std::enable_shared_from_this<Http1Connection> {
 public:
  Http1Connection(std::shared_ptr<HttpServerShared> shared, std::shared_ptr<Wire> wire);
  ~Http1Connection() override;

  // What the answer must know of its request.
  struct Asked {
    bool head = false;  // the method is HEAD: no body
    bool keep_alive = true;
    bool chunks = true;  // HTTP/1.1
  };
  void answer(HttpResponse response, Asked asked);
  void start_stream(HttpResponse head, Asked asked, std::shared_ptr<Outbox> outbox);
  // Sends the head of a 101 and gives the wire away, with what was received behind the request.
  std::string start_upgrade(HttpResponse head);
  std::string take_early() { return std::exchange(input_, {}); }
  void watch_client(Task closed);

  HttpServerShared& shared() { return *shared_; }
  const std::shared_ptr<Wire>& wire() { return wire_; }

  void on_open() override;
  void on_readable() override;
  void on_sent() override;
  void on_expired() override;
  void on_wind_down() override;
  void on_lost(const Error& error) override;

 private:
  enum class State { Receiving, Handling, Answering, Streaming, Lingering };
  enum class Phase { Idle, Head, Body };  // of Receiving, each with its deadline

  void receive();
  bool receive_step();
  bool parse_step();
  bool read_step();
  void expect_more();
  bool charge_body();
  void hand_over();
  void note_expiry();
  void read_ahead();
  void refuse(int status, std::string_view message);
  void send_head(const HttpResponse& head, BodyFraming framing);
  void drain_stream();
  void answered();
  void linger();
  void discard();

  std::shared_ptr<HttpServerShared> shared_;
  std::shared_ptr<Wire> wire_;
  Http1Parser parser_;
  std::shared_ptr<const TlsPeer> peer_;
  std::string remote_address_;
  std::string input_;  // received and not parsed yet
  State state_ = State::Receiving;
  Phase phase_ = Phase::Idle;
  bool receiving_ = false;  // receive() is on the stack
  bool readable_ = false;   // there may be something to read without waiting
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool winding_down_ = false;
  std::size_t charged_ = 0;    // of shared_->body_bytes
  std::size_t discarded_ = 0;  // while lingering
  Task client_gone_;
  std::shared_ptr<Outbox> stream_;
};

}  // namespace keelson

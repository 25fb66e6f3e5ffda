// One connection of a client: a call at a time, from its request to the last byte of its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/http1_parser.h"
#include "base/http_client.h"
#include "base/wire.h"

namespace keelson {

class ClientConnection;

// A call on its way. On the client's loop.
struct ClientCall {
  enum class Kind { Fetch, Stream, Upgrade };
  Kind kind = Kind::Fetch;
  HttpCall call;
  HttpClient::OnResponse on_response;
  HttpClient::OnStream on_stream;
  HttpClient::OnUpgrade on_upgrade;

  bool over = false;  // answered, failed or cancelled: its callback is not called again
  bool retried = false;
  bool counted = false;  // among its peer's connections_per_peer
  Pending timer;
  Pending dialing;
  std::weak_ptr<ClientConnection> connection;

  void fail(const Error& error);
  void succeed(HttpResponse response, std::unique_ptr<ByteStream> tunnel);
  void stream(HttpResponse head, std::unique_ptr<ByteSource> body);
  bool can_repeat() const { return call.request.method == "GET" || call.request.method == "HEAD"; }
};
using ClientCallPtr = std::shared_ptr<ClientCall>;

class ClientConnection final : public Wire::User,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  // What becomes of a connection and of calls that it could not carry.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void connection_idle(std::shared_ptr<ClientConnection> connection) = 0;
    virtual void call_over(const ClientCallPtr& call) = 0;
    virtual void repeat_call(const ClientCallPtr& call) = 0;
  };
  ClientConnection(std::weak_ptr<Owner> owner, std::shared_ptr<Wire> wire, HttpPeer peer,
                   const Limits& limits);

  void open(ClientCallPtr first);           // handshake, then the call
  void start(ClientCallPtr call);           // on an idle connection
  void give_up(const ClientCallPtr& call);  // if it carries this call: closes
  const HttpPeer& peer() const { return peer_; }
  const std::shared_ptr<Wire>& wire() { return wire_; }

  void on_open() override;
  void on_readable() override;
  void on_expired() override;
  void on_lost(const Error& error) override;

 private:
  class Body;
  class BodyEnd;
  void send_request();
  void receive();
  bool parse();
  void take_head();
  void end_of_input();
  void finish_message();
  void start_body();
  void body_dropped();
  void become_tunnel();
  bool take_body();
  HttpResponse take_response();

  std::weak_ptr<Owner> owner_;
  const std::shared_ptr<Wire> wire_;
  const HttpPeer peer_;
  const Limits limits_;
  Http1Parser parser_;
  ClientCallPtr call_;          // null: idle
  std::string input_;           // received and not parsed yet
  std::string whole_body_;      // of an answer that is not streamed
  std::shared_ptr<Body> body_;  // of one that is
  bool reused_ = false;
  bool head_seen_ = false;
};

}  // namespace keelson

// Sends the request, takes the answer apart, and hands it over whole, piece by piece, or as a
// tunnel.
#include "base/http_client_connection.h"

#include <limits>
#include <optional>
#include <utility>

#include "base/http1_writer.h"
#include "base/tunnel.h"

namespace keelson {
namespace {

constexpr std::size_t read_bytes = 16 * 1024;            // a TLS record
constexpr std::size_t streamed_ahead_bytes = 64 * 1024;  // before the reader asks

}  // namespace

void ClientCall::fail(const Error& error) {
  if (std::exchange(over, true)) return;
  timer.reset();
  dialing.reset();
  auto failure = error.during("{} {}{}", call.request.method, call.peer.address,
                              call.request.target.substr(0, call.request.target.find('?')));
  if (on_response) std::exchange(on_response, nullptr)(failure);
  if (on_stream) std::exchange(on_stream, nullptr)(failure);
  if (on_upgrade) std::exchange(on_upgrade, nullptr)(failure);
}

void ClientCall::succeed(HttpResponse response, std::unique_ptr<ByteStream> tunnel) {
  if (std::exchange(over, true)) return;
  timer.reset();
  if (on_response) std::exchange(on_response, nullptr)(std::move(response));
  if (on_upgrade) {
    std::exchange(on_upgrade,
                  nullptr)(HttpClient::Upgraded{std::move(response), std::move(tunnel)});
  }
}

void ClientCall::stream(HttpResponse head, std::unique_ptr<ByteSource> body) {
  if (std::exchange(over, true)) return;
  timer.reset();
  std::exchange(on_stream, nullptr)(HttpClient::Streamed{std::move(head), std::move(body)});
}

// A streamed body between connection and reader. It outlives the message: the connection goes on
// while what has come is still read.
class ClientConnection::Body final {
 public:
  explicit Body(std::weak_ptr<ClientConnection> connection) : connection_(std::move(connection)) {}

  bool full() const { return waiting_.size() >= streamed_ahead_bytes; }
  void push(std::string bytes) {
    waiting_ += bytes;
    give();
  }
  void end(std::optional<Error> error) {
    ended_ = true;
    error_ = std::move(error);
    connection_.reset();
    give();
  }
  void read(ByteSource::OnBytes done) {
    reader_ = std::move(done);
    give();
    if (auto connection = connection_.lock()) connection->receive();
  }
  void drop() {
    reader_ = nullptr;
    if (auto connection = connection_.lock()) connection->body_dropped();
  }

 private:
  void give() {
    if (!reader_) return;
    if (!waiting_.empty()) {
      std::exchange(reader_, nullptr)(std::exchange(waiting_, {}));
    } else if (ended_) {
      Result<std::string> last;
      if (error_) last = std::unexpected(*error_);
      std::exchange(reader_, nullptr)(std::move(last));
    }
  }

  std::weak_ptr<ClientConnection> connection_;  // while the message comes
  std::string waiting_;
  ByteSource::OnBytes reader_;
  bool ended_ = false;
  std::optional<Error> error_;
};

// The reader's handle: any thread.
class ClientConnection::BodyEnd final : public ByteSource {
 public:
  BodyEnd(SystemLoop& loop, std::shared_ptr<Body> body) : loop_(loop), body_(std::move(body)) {}
  ~BodyEnd() override {
    loop_.dispatch([body = body_] { body->drop(); });
  }
  void read(OnBytes done) override {
    loop_.post([body = body_, done = std::move(done)]() mutable { body->read(std::move(done)); });
  }

 private:
  SystemLoop& loop_;
  std::shared_ptr<Body> body_;
};

ClientConnection::ClientConnection(std::weak_ptr<Owner> owner, std::shared_ptr<Wire> wire,
                                   HttpPeer peer, const Limits& limits)
    : owner_(std::move(owner)),
      wire_(std::move(wire)),
      peer_(std::move(peer)),
      limits_(limits),
      parser_(Http1Parser::Kind::Response,
              {limits.request_header_bytes, std::numeric_limits<std::uint64_t>::max()}) {}

void ClientConnection::open(ClientCallPtr first) {
  call_ = std::move(first);
  call_->connection = weak_from_this();
  wire_->open();
}

void ClientConnection::on_open() {
  wire_->never_expire();
  send_request();
}

void ClientConnection::start(ClientCallPtr call) {
  reused_ = true;
  call_ = std::move(call);
  call_->connection = weak_from_this();
  wire_->never_expire();
  parser_.start();
  send_request();
}

void ClientConnection::send_request() {
  head_seen_ = false;
  if (call_->call.request.method == "HEAD") parser_.expect_no_body();
  wire_->send(write_request(call_->call.request, peer_.host));
  wire_->flush();
  if (!wire_->closed()) wire_->want_read();
}

// --- receiving

void ClientConnection::on_readable() {
  if (call_ == nullptr) return wire_->close();  // idle: the peer closes, or speaks unasked
  receive();
}

void ClientConnection::receive() {
  char buffer[read_bytes];
  while (call_ != nullptr && !wire_->closed()) {
    if (body_ != nullptr && body_->full()) return;  // its reader comes back here
    const Socket::Moved moved = wire_->read(buffer, sizeof(buffer));
    switch (moved.status) {
      case Socket::Status::Done:
        break;
      case Socket::Status::Ended:
        return end_of_input();
      case Socket::Status::Failed:
        return wire_->lose(wire_->socket().error());
      default:
        return;
    }
    input_.append(buffer, moved.bytes);
    if (!parse()) return;
  }
}

// False: the message or the connection has ended.
bool ClientConnection::parse() {
  for (std::size_t used = 1; used > 0 && !input_.empty() && !parser_.done();) {
    used = parser_.consume(input_);
    input_.erase(0, used);
    if (parser_.failed_status() != 0) {
      wire_->lose({Reason::ServiceUnavailable, "the answer is not HTTP: " + parser_.failure()});
      return false;
    }
    if (parser_.has_head() && !head_seen_) take_head();
    if (call_ == nullptr || wire_->closed()) return false;
  }
  if (!take_body()) return false;
  if (!parser_.done()) return call_ != nullptr && !wire_->closed();
  finish_message();
  return false;
}

void ClientConnection::take_head() {
  const int status = parser_.head().status;
  if (status == 101 && call_->kind == ClientCall::Kind::Upgrade) return become_tunnel();
  if (status < 200) return parser_.start();  // 100 Continue and its like: the answer follows
  head_seen_ = true;
  if (call_->kind == ClientCall::Kind::Stream) start_body();
}

bool ClientConnection::take_body() {
  std::string bytes = parser_.take_body();
  if (bytes.empty()) return true;
  if (body_ != nullptr) {
    body_->push(std::move(bytes));
    return call_ != nullptr && !wire_->closed();
  }
  whole_body_ += bytes;
  if (whole_body_.size() <= limits_.response_body_bytes) return true;
  wire_->lose({Reason::RequestEntityTooLarge,
               fmt::format("the answer has more than {} bytes", limits_.response_body_bytes)});
  return false;
}

void ClientConnection::end_of_input() {
  if (head_seen_ && parser_.end_of_input()) return finish_message();
  wire_->lose({Reason::ServiceUnavailable, head_seen_
                                               ? "the connection ended within the answer"
                                               : "the connection was closed without an answer"});
}

HttpResponse ClientConnection::take_response() {
  HttpResponse response{.status = parser_.head().status,
                        .headers = std::move(parser_.head().request.headers)};
  if (!whole_body_.empty()) response.body = {make_bytes(std::exchange(whole_body_, {}))};
  return response;
}

// The message is whole: the connection serves the next call, if the peer lets it.
void ClientConnection::finish_message() {
  auto self = shared_from_this();
  const bool keep = parser_.head().keep_alive && input_.empty();
  ClientCallPtr call = std::exchange(call_, nullptr);
  auto body = std::exchange(body_, nullptr);
  HttpResponse response = take_response();
  auto owner = owner_.lock();
  if (owner != nullptr) owner->call_over(call);
  if (keep && owner != nullptr) {
    wire_->want_read();
    wire_->expire_after(limits_.idle_connection_time);
    owner->connection_idle(self);
  } else {
    wire_->close();
  }
  if (body != nullptr) return body->end(std::nullopt);
  call->succeed(std::move(response), nullptr);
}

// --- streams and tunnels

void ClientConnection::start_body() {
  body_ = std::make_shared<Body>(weak_from_this());
  ClientCallPtr call = call_;
  call->stream(take_response(), std::make_unique<BodyEnd>(wire_->loop(), body_));
}

void ClientConnection::body_dropped() {
  body_ = nullptr;
  auto self = shared_from_this();
  if (auto owner = owner_.lock(); owner != nullptr && call_ != nullptr) owner->call_over(call_);
  call_ = nullptr;
  wire_->close();
}

void ClientConnection::become_tunnel() {
  auto self = shared_from_this();
  ClientCallPtr call = std::exchange(call_, nullptr);
  if (auto owner = owner_.lock()) owner->call_over(call);
  auto tunnel = std::make_shared<Tunnel>(wire_, limits_.stream_buffer_bytes);
  HttpResponse response = take_response();
  auto stream = tunnel->stream();
  tunnel->start(std::exchange(input_, {}));
  call->succeed(std::move(response), std::move(stream));
}

// --- ending

void ClientConnection::give_up(const ClientCallPtr& call) {
  if (call_ != call) return;
  auto self = shared_from_this();
  call_ = nullptr;
  wire_->close();
}

void ClientConnection::on_expired() {
  wire_->close();  // idle for long enough
}

void ClientConnection::on_lost(const Error& error) {
  ClientCallPtr call = std::exchange(call_, nullptr);
  if (call == nullptr) return;
  auto owner = owner_.lock();
  if (owner != nullptr) owner->call_over(call);
  if (auto body = std::exchange(body_, nullptr)) return body->end(error);
  // The peer closed a pooled connection just when we used it.
  const bool stale = reused_ && !parser_.has_begun() && call->can_repeat();
  if (owner != nullptr && stale && !call->over && !std::exchange(call->retried, true)) {
    return owner->repeat_call(call);
  }
  call->fail(error);
}

}  // namespace keelson

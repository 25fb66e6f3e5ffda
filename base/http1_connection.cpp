// Reads a request, hands it over, sends the answer; all that a peer can drag out has a deadline and
// a bound.
#include "base/http1_connection.h"

#include <utility>

#include "base/http_exchange.h"
#include "base/net.h"

namespace keelson {
namespace {

constexpr std::size_t read_bytes = 16 * 1024;        // a TLS record
constexpr std::size_t read_ahead_bytes = 64 * 1024;  // of the next requests, while one is answered
// A peer that still sends when we close would get RST and lose our last answer: wait a little.
constexpr Duration linger_time = 2s;
constexpr std::size_t linger_bytes = 4 * 1024 * 1024;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

HttpResponse HttpServerShared::refusal(int status, std::string_view message) const {
  if (options.refuse) return options.refuse(status, message);
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = {make_bytes(std::string(message) + "\n")}};
}

Http1Connection::Http1Connection(std::shared_ptr<HttpServerShared> shared,
                                 std::shared_ptr<Wire> wire)
    : shared_(std::move(shared)),
      wire_(std::move(wire)),
      parser_(Http1Parser::Kind::Request, {shared_->options.limits.request_header_bytes,
                                           shared_->options.limits.request_body_bytes}),
      remote_address_(peer_address(wire_->socket().fd())) {}

Http1Connection::~Http1Connection() {
  shared_->body_bytes -= charged_;
}

void Http1Connection::on_open() {
  if (auto peer = wire_->socket().peer()) {
    peer_ = std::make_shared<const TlsPeer>(std::move(*peer));
  }
  wire_->expire_after(shared_->options.limits.request_header_timeout);
  wire_->want_read();
}

void Http1Connection::on_readable() {
  switch (state_) {
    case State::Receiving:
      readable_ = true;
      return receive();
    case State::Lingering:
      return discard();
    default:
      return read_ahead();
  }
}

// --- receiving

// Not nested: an answer given inside the handler comes back here, and the outer loop goes on.
void Http1Connection::receive() {
  if (std::exchange(receiving_, true)) return;
  while (state_ == State::Receiving && !wire_->closed() && receive_step()) {
  }
  receiving_ = false;
}

// False: it has to wait, or receives no more.
bool Http1Connection::receive_step() {
  if (!input_.empty()) {
    if (!parse_step()) return false;
    if (parser_.done()) {
      hand_over();
      return true;
    }
  }
  if (std::exchange(readable_, false)) return read_step();
  wire_->want_read();
  expect_more();
  return false;
}

bool Http1Connection::parse_step() {
  input_.erase(0, parser_.consume(input_));
  if (parser_.failed_status() != 0) {
    refuse(parser_.failed_status(), parser_.failure());
    return false;
  }
  if (!charge_body()) {
    refuse(503, "too many requests are being received");
    return false;
  }
  return true;
}

bool Http1Connection::read_step() {
  char buffer[read_bytes];
  const Socket::Moved moved = wire_->read(buffer, sizeof(buffer));
  switch (moved.status) {
    case Socket::Status::Done:
      input_.append(buffer, moved.bytes);
      readable_ = moved.bytes == sizeof(buffer) || wire_->socket().has_buffered();
      return true;
    case Socket::Status::Ended:
      wire_->close();
      return false;
    case Socket::Status::Failed:
      wire_->lose(wire_->socket().error());
      return false;
    default:
      expect_more();
      return false;
  }
}

// Before waiting: each phase of a request has one deadline, which no trickle of bytes moves.
void Http1Connection::expect_more() {
  const Limits& limits = shared_->options.limits;
  if (phase_ == Phase::Idle && parser_.has_begun()) {
    phase_ = Phase::Head;
    wire_->expire_after(limits.request_header_timeout);
  }
  if (phase_ == Phase::Head && parser_.has_head()) {
    phase_ = Phase::Body;
    wire_->expire_after(limits.request_body_timeout);
    if (parser_.head().request.headers.has_token("Expect", "100-continue")) {
      wire_->send(std::string(continue_line));
      wire_->flush();
    }
  }
}

bool Http1Connection::charge_body() {
  const std::size_t bytes = parser_.body_size();
  const std::size_t all = shared_->body_bytes += bytes - std::exchange(charged_, bytes);
  return bytes == 0 || all <= shared_->options.limits.request_bodies_bytes;
}

void Http1Connection::hand_over() {
  Http1Parser::Head& head = parser_.head();
  auto target = parse_target(head.request.target);
  if (!target) return refuse(400, target.error().message);
  if (head.chunked_answers && !head.request.headers.contains("Host")) {
    return refuse(400, "missing required Host header");
  }
  state_ = State::Handling;
  wire_->never_expire();
  ++shared_->requests;
  note_expiry();
  const Asked asked = {.head = head.request.method == "HEAD",
                       .keep_alive = head.keep_alive,
                       .chunks = head.chunked_answers};
  head.request.body = parser_.take_body();
  shared_->handler(make_http1_exchange({.connection = shared_from_this(),
                                        .request = std::move(head.request),
                                        .target = std::move(*target),
                                        .peer = peer_,
                                        .remote_address = remote_address_,
                                        .asked = asked}));
}

// A connection may outlive the certificate that it began with.
void Http1Connection::note_expiry() {
  if (peer_ == nullptr || !peer_->error.empty()) return;
  if (wire_->loop().clock().wall() <= peer_->not_after) return;
  TlsPeer expired = *peer_;
  expired.error = "certificate has expired";
  peer_ = std::make_shared<const TlsPeer>(std::move(expired));
}

// While a request is handled or its answer streamed: the next may come, or the client go.
void Http1Connection::read_ahead() {
  char buffer[read_bytes];
  while (input_.size() < read_ahead_bytes) {
    const Socket::Moved moved = wire_->read(buffer, sizeof(buffer));
    switch (moved.status) {
      case Socket::Status::Done:
        input_.append(buffer, moved.bytes);
        break;
      case Socket::Status::Ended:
        return wire_->lose({Reason::ServiceUnavailable, "the client is gone"});
      case Socket::Status::Failed:
        return wire_->lose(wire_->socket().error());
      default:
        return;
    }
  }
}

void Http1Connection::watch_client(Task closed) {
  if (wire_->closed()) return closed();
  if (state_ != State::Handling) return;
  client_gone_ = std::move(closed);
  wire_->want_read();
}

// --- answering

void Http1Connection::send_head(const HttpResponse& head, BodyFraming framing) {
  wire_->send(write_head(
      head, {.framing = framing, .keep_alive = keep_alive_, .now = wire_->loop().clock().wall()}));
}

void Http1Connection::answer(HttpResponse response, Asked asked) {
  if (wire_->closed() || state_ != State::Handling) return;
  client_gone_ = nullptr;
  state_ = State::Answering;
  keep_alive_ = asked.keep_alive && !winding_down_;
  const bool has_body = may_have_body(response.status);
  send_head(response, has_body ? BodyFraming::ContentLength : BodyFraming::None);
  if (has_body && !asked.head) {
    for (Bytes& piece : response.body) wire_->send(std::move(piece));
  }
  wire_->flush();
}

void Http1Connection::refuse(int status, std::string_view message) {
  ++shared_->refused;
  state_ = State::Handling;
  input_.clear();
  answer(shared_->refusal(status, message), {.keep_alive = false});
}

void Http1Connection::start_stream(HttpResponse head, Asked asked, std::shared_ptr<Outbox> outbox) {
  if (wire_->closed() || state_ != State::Handling) return outbox->closed();
  client_gone_ = nullptr;
  chunked_ = asked.chunks;
  keep_alive_ = asked.keep_alive && asked.chunks && !winding_down_;
  send_head(head, chunked_ ? BodyFraming::Chunked : BodyFraming::UntilClose);
  if (asked.head) {
    outbox->closed();
    state_ = State::Answering;
    return wire_->flush();
  }
  state_ = State::Streaming;
  stream_ = std::move(outbox);
  stream_->attach([self = shared_from_this()] { self->drain_stream(); });
  wire_->want_read();
  drain_stream();
}

void Http1Connection::drain_stream() {
  if (state_ != State::Streaming) return;
  Outbox::Taken taken = stream_->take();
  if (taken.cut) return wire_->lose({Reason::InternalError, "the answer was given up"});
  std::size_t bytes = 0;
  for (const Bytes& piece : taken.bytes) bytes += piece->size();
  if (bytes > 0) {
    if (chunked_) wire_->send(chunk_size_line(bytes));
    for (Bytes& piece : taken.bytes) wire_->send(std::move(piece));
    if (chunked_) wire_->send(std::string("\r\n"));
  }
  if (taken.finished) {
    if (chunked_) wire_->send(std::string(last_chunk));
    state_ = State::Answering;
  }
  wire_->flush();
  on_sent();  // there may have been nothing to send
}

void Http1Connection::on_sent() {
  if (stream_ != nullptr) stream_->sending(wire_->unsent());
  if (state_ != State::Answering || wire_->unsent() > 0 || wire_->closed()) return;
  if (auto stream = std::exchange(stream_, nullptr)) stream->closed();
  answered();
}

void Http1Connection::answered() {
  shared_->body_bytes -= std::exchange(charged_, 0);
  if (!keep_alive_) return linger();
  parser_.start();
  if (input_.empty()) input_ = {};  // an idle connection keeps no buffer
  state_ = State::Receiving;
  phase_ = Phase::Idle;
  wire_->expire_after(shared_->options.limits.idle_timeout);
  receive();
}

std::string Http1Connection::start_upgrade(HttpResponse head) {
  client_gone_ = nullptr;
  send_head(head, BodyFraming::None);
  wire_->flush();
  return take_early();
}

// --- ending

void Http1Connection::linger() {
  state_ = State::Lingering;
  wire_->finish();
  wire_->expire_after(linger_time);
  wire_->want_read();
}

void Http1Connection::discard() {
  char buffer[read_bytes];
  while (discarded_ < linger_bytes) {
    const Socket::Moved moved = wire_->read(buffer, sizeof(buffer));
    if (moved.status == Socket::Status::WantRead || moved.status == Socket::Status::WantWrite)
      return;
    if (moved.status != Socket::Status::Done) break;
    discarded_ += moved.bytes;
  }
  wire_->close();
}

void Http1Connection::on_expired() {
  if (state_ == State::Receiving && phase_ != Phase::Idle) {
    return refuse(408, "the request takes too long to arrive");
  }
  if (state_ == State::Receiving || state_ == State::Lingering) wire_->close();
}

void Http1Connection::on_wind_down() {
  winding_down_ = true;
  keep_alive_ = false;
  if (state_ == State::Receiving && phase_ == Phase::Idle) wire_->close();
}

void Http1Connection::on_lost(const Error&) {
  if (auto gone = std::exchange(client_gone_, nullptr)) gone();
  if (auto stream = std::exchange(stream_, nullptr)) stream->closed();
}

}  // namespace keelson

// The server's end of a WebSocket: Beast's framing over a Wire.
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/http_exchange.h"

namespace keelson {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
namespace {

using beast::error_code;
using MovedBytes = std::move_only_function<void(error_code, std::size_t)>;

constexpr Duration close_time = 5s;  // for the peer to answer our Close
// Read ahead of the one who uses us, so that pings are answered and a Close is seen meanwhile.
constexpr std::size_t read_ahead_bytes = 256 * 1024;

// What Beast takes for a socket. Its operations complete by post, never inside the call.
class WireSocket final : public Wire::User, public std::enable_shared_from_this<WireSocket> {
 public:
  explicit WireSocket(std::shared_ptr<Wire> w) : wire(std::move(w)) {}
  void start(std::string early) {
    early_ = std::move(early);
    wire->use(shared_from_this());
  }

  void read(asio::mutable_buffer into, MovedBytes done) {
    into_ = into;
    reading_ = std::move(done);
    on_readable();
  }

  void write(std::string bytes, MovedBytes done) {
    writing_bytes_ = bytes.size();
    writing_ = std::move(done);
    wire->send(std::move(bytes));
    wire->flush();
    on_sent();
  }

  void on_readable() override {
    if (!reading_) return;
    if (!early_.empty()) {
      const std::size_t bytes = asio::buffer_copy(into_, asio::buffer(early_));
      early_.erase(0, bytes);
      return complete(reading_, {}, bytes);
    }
    if (wire->closed()) return complete(reading_, asio::error::not_connected, 0);
    const Socket::Moved moved = wire->read(static_cast<char*>(into_.data()), into_.size());
    switch (moved.status) {
      case Socket::Status::Done:
        return complete(reading_, {}, moved.bytes);
      case Socket::Status::Ended:
        return complete(reading_, asio::error::eof, 0);
      case Socket::Status::Failed:
        return wire->lose(wire->socket().error());
      default:
        return;
    }
  }
  void on_sent() override {
    if (!writing_ || (wire->unsent() > 0 && !wire->closed())) return;
    complete(writing_, wire->closed() ? error_code(asio::error::not_connected) : error_code(),
             writing_bytes_);
  }
  void close() {
    wire->close();
    on_lost({});
  }
  void on_expired() override { wire->lose({Reason::Timeout, "no answer to our Close"}); }
  void on_lost(const Error&) override {
    if (reading_) complete(reading_, asio::error::connection_reset, 0);
    if (writing_) complete(writing_, asio::error::connection_reset, 0);
  }

  const std::shared_ptr<Wire> wire;

 private:
  void complete(MovedBytes& operation, error_code error, std::size_t bytes) {
    wire->loop().post(
        [done = std::exchange(operation, nullptr), error, bytes]() mutable { done(error, bytes); });
  }

  std::string early_;
  asio::mutable_buffer into_;
  MovedBytes reading_, writing_;
  std::size_t writing_bytes_ = 0;
};

// Beast's AsyncStream concept, as a handle on a WireSocket.
struct WireStream {
  using executor_type = asio::io_context::executor_type;
  executor_type get_executor() const { return socket->wire->loop().io().get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, WireSocket* socket, Buffers into) {
          socket->read(beast::buffers_front(into), erase(std::move(handler)));
        },
        token, socket.get(), buffers);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, WireSocket* socket, Buffers from) {
          std::string bytes(beast::buffer_bytes(from), '\0');
          asio::buffer_copy(asio::buffer(bytes), from);
          socket->write(std::move(bytes), erase(std::move(handler)));
        },
        token, socket.get(), buffers);
  }
  template <typename Handler>
  static MovedBytes erase(Handler handler) {
    return [handler = std::move(handler)](error_code error, std::size_t bytes) mutable {
      std::move(handler)(error, bytes);
    };
  }

  std::shared_ptr<WireSocket> socket;
};

void beast_close_socket(WireStream& stream) {
  stream.socket->close();
}
template <typename Handler>
void async_teardown(beast::role_type, WireStream& stream, Handler&& handler) {
  stream.socket->close();
  asio::post(stream.get_executor(), [handler = std::forward<Handler>(handler)]() mutable {
    std::move(handler)(error_code());
  });
}

class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Wire> wire, const Limits& limits, std::string protocol)
      : protocol_(std::move(protocol)),
        outbox_(std::make_shared<Outbox>(wire->loop(), limits.stream_buffer_bytes)),
        socket_(std::make_shared<WireSocket>(std::move(wire))),
        stream_(WireStream{socket_}) {
    stream_.read_message_max(limits.websocket_message_bytes);
    stream_.auto_fragment(false);
  }

  void accept(const HttpRequest& request, std::string early);
  void read(WebSocket::OnMessage done);
  void close_with(std::uint16_t code, std::string_view reason);
  void reader_gone();

  SystemLoop& loop() { return socket_->wire->loop(); }
  Outbox& outbox() { return *outbox_; }
  const std::string& protocol() const { return protocol_; }

 private:
  void drain();
  void send_next();
  void receive_next();
  void received(error_code error);
  void give_next();
  void ended(error_code error);

  const std::string protocol_;
  const std::shared_ptr<Outbox> outbox_;
  const std::shared_ptr<WireSocket> socket_;
  websocket::stream<WireStream, false> stream_;

  std::deque<Bytes> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  bool accepted_ = false;
  bool sending_ = false;
  bool closing_ = false;
  std::mutex close_mutex_;
  websocket::close_reason close_reason_{websocket::close_code::normal};  // guarded by close_mutex_

  std::deque<WebSocket::Message> incoming_;
  std::size_t incoming_bytes_ = 0;
  beast::flat_buffer received_;
  bool receiving_ = false;
  WebSocket::OnMessage reader_;
  std::optional<Error> ended_;
};

void Session::accept(const HttpRequest& request, std::string early) {
  if (socket_->wire->closed()) return ended(asio::error::not_connected);
  socket_->start(std::move(early));
  outbox_->attach([self = shared_from_this()] { self->drain(); });
  beast::http::request<beast::http::empty_body> asked;
  asked.method(beast::http::verb::get);
  asked.target(request.target);
  asked.version(11);
  for (const auto& [name, value] : request.headers) asked.insert(name, value);
  stream_.set_option(
      websocket::stream_base::decorator([protocol = protocol_](websocket::response_type& response) {
        if (!protocol.empty()) response.set("Sec-WebSocket-Protocol", protocol);
      }));
  stream_.async_accept(asked, [self = shared_from_this()](error_code error) {
    if (error) return self->ended(error);
    self->accepted_ = true;
    self->stream_.binary(true);
    self->send_next();
    self->receive_next();
  });
}

void Session::drain() {
  Outbox::Taken taken = outbox_->take();
  if (taken.cut) {
    socket_->close();
    return ended(asio::error::operation_aborted);
  }
  for (Bytes& bytes : taken.bytes) {
    outgoing_bytes_ += bytes->size();
    outgoing_.push_back(std::move(bytes));
  }
  closing_ = taken.finished;
  send_next();
}

// One message at a time; after the last, the Close.
void Session::send_next() {
  if (!accepted_ || sending_ || ended_) return;
  if (!outgoing_.empty()) {
    sending_ = true;
    stream_.async_write(asio::buffer(*outgoing_.front()),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          self->sending_ = false;
                          if (error) return self->ended(error);
                          self->outgoing_bytes_ -= self->outgoing_.front()->size();
                          self->outgoing_.pop_front();
                          self->outbox_->sending(self->outgoing_bytes_);
                          self->send_next();
                        });
  } else if (closing_) {
    sending_ = true;  // for good
    socket_->wire->expire_after(close_time);
    std::lock_guard lock(close_mutex_);
    stream_.async_close(close_reason_,
                        [self = shared_from_this()](error_code error) { self->ended(error); });
  }
}

void Session::receive_next() {
  if (!accepted_ || receiving_ || ended_ || incoming_bytes_ >= read_ahead_bytes) return;
  receiving_ = true;
  stream_.async_read(received_, [self = shared_from_this()](error_code error, std::size_t) {
    self->received(error);
  });
}

void Session::received(error_code error) {
  receiving_ = false;
  if (error) return ended(error);
  incoming_bytes_ += received_.size();
  incoming_.push_back(
      {.binary = stream_.got_binary(), .data = beast::buffers_to_string(received_.data())});
  received_.consume(received_.size());
  give_next();
  receive_next();
}

void Session::read(WebSocket::OnMessage done) {
  reader_ = std::move(done);
  give_next();
  receive_next();
}

void Session::give_next() {
  if (!reader_) return;
  if (!incoming_.empty()) {
    WebSocket::Message message = std::move(incoming_.front());
    incoming_.pop_front();
    incoming_bytes_ -= message.data.size();
    std::exchange(reader_, nullptr)(std::move(message));
  } else if (ended_) {
    std::exchange(reader_, nullptr)(std::unexpected(*ended_));
  }
}

void Session::ended(error_code error) {
  if (ended_) return;
  const websocket::close_reason& said = stream_.reason();
  std::string why = error.message();
  if (error == websocket::error::closed || !error) {
    why = fmt::format("closed by the peer: {} {}", said.code,
                      std::string_view(said.reason.data(), said.reason.size()));
  }
  ended_ = Error{Reason::ServiceUnavailable, "WebSocket " + why};
  socket_->close();
  give_next();
  outbox_->closed();
}

void Session::close_with(std::uint16_t code, std::string_view reason) {
  {
    std::lock_guard lock(close_mutex_);
    close_reason_.code = code;
    // A control frame holds 125 bytes, two of them the code.
    close_reason_.reason = std::string(reason.substr(0, 123));
  }
  outbox_->finish();
}

void Session::reader_gone() {
  reader_ = nullptr;
  incoming_.clear();
  incoming_bytes_ = 0;
  receive_next();
}

class SessionEnd final : public WebSocket {
 public:
  explicit SessionEnd(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~SessionEnd() override {
    session_->outbox().abandon();
    session_->loop().post([session = session_] { session->reader_gone(); });
  }
  bool write(Bytes bytes) override { return session_->outbox().write(std::move(bytes)); }
  void on_room(Task task) override { session_->outbox().on_room(std::move(task)); }
  void on_closed(Task task) override { session_->outbox().on_closed(std::move(task)); }
  void finish() override { session_->outbox().finish(); }
  const std::string& subprotocol() const override { return session_->protocol(); }
  void close(std::uint16_t code, std::string_view reason) override {
    session_->close_with(code, reason);
  }
  void read(OnMessage done) override {
    session_->loop().post(
        [session = session_, done = std::move(done)]() mutable { session->read(std::move(done)); });
  }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace

std::unique_ptr<WebSocket> start_websocket(std::shared_ptr<Http1Connection> connection,
                                           HttpRequest request, std::string protocol) {
  auto session = std::make_shared<Session>(connection->wire(), connection->shared().options.limits,
                                           std::move(protocol));
  session->loop().dispatch([connection, session, request = std::move(request)] {
    session->accept(request, connection->take_early());
  });
  return std::make_unique<SessionEnd>(std::move(session));
}

}  // namespace keelson

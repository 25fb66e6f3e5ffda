// Each answer is a step on the connection's loop; on its own thread it is taken at once.
#include "base/http_exchange.h"

#include <algorithm>
#include <utility>

#include "base/tunnel.h"

namespace keelson {
namespace {

class StreamSink final : public ByteSink {
 public:
  explicit StreamSink(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}
  ~StreamSink() override { outbox_->abandon(); }
  bool write(Bytes bytes) override { return outbox_->write(std::move(bytes)); }
  void on_room(Task task) override { outbox_->on_room(std::move(task)); }
  void finish() override { outbox_->finish(); }
  void on_closed(Task task) override { outbox_->on_closed(std::move(task)); }

 private:
  std::shared_ptr<Outbox> outbox_;
};

class Http1Exchange final : public Exchange {
 public:
  explicit Http1Exchange(Http1ExchangeParts parts) : parts_(std::move(parts)) {}
  ~Http1Exchange() override {
    if (parts_.connection != nullptr) {
      respond(parts_.connection->shared().refusal(500, "the request was dropped unanswered"));
    }
  }

  HttpRequest& request() override { return parts_.request; }
  const HttpTarget& target() const override { return parts_.target; }
  const TlsPeer* peer() const override { return parts_.peer.get(); }
  const std::string& remote_address() const override { return parts_.remote_address; }

  void respond(HttpResponse response) override {
    auto connection = take_connection();
    if (loop_of(*connection).is_current()) {
      return connection->answer(std::move(response), parts_.asked);
    }
    loop_of(*connection)
        .post([connection, response = std::move(response), asked = parts_.asked]() mutable {
          connection->answer(std::move(response), asked);
        });
  }

  std::unique_ptr<ByteSink> stream(HttpResponse head) override {
    auto connection = take_connection();
    auto outbox = std::make_shared<Outbox>(loop_of(*connection), buffer_bytes(*connection));
    loop_of(*connection)
        .dispatch([connection, head = std::move(head), asked = parts_.asked, outbox]() mutable {
          connection->start_stream(std::move(head), asked, std::move(outbox));
        });
    return std::make_unique<StreamSink>(std::move(outbox));
  }

  std::unique_ptr<ByteStream> upgrade(HttpResponse head) override {
    auto connection = take_connection();
    auto tunnel = std::make_shared<Tunnel>(connection->wire(), buffer_bytes(*connection));
    head.status = 101;
    loop_of(*connection).dispatch([connection, head = std::move(head), tunnel]() mutable {
      tunnel->start(connection->start_upgrade(std::move(head)));
    });
    return tunnel->stream();
  }

  std::unique_ptr<WebSocket> accept_websocket(
      std::span<const std::string_view> subprotocols) override {
    const HttpHeaders& headers = parts_.request.headers;
    const auto refuse = [&](std::string_view why) {
      respond(parts_.connection->shared().refusal(400, why));
      return nullptr;
    };
    if (!headers.has_token("Connection", "upgrade") || !headers.has_token("Upgrade", "websocket")) {
      return refuse("this needs a WebSocket: no Upgrade: websocket was asked for");
    }
    if (headers.get("Sec-WebSocket-Version") != "13" || !headers.contains("Sec-WebSocket-Key")) {
      return refuse("WebSocket: version 13 and a key are needed");
    }
    const auto chosen = std::ranges::find_if(subprotocols, [&](std::string_view ours) {
      return headers.has_token("Sec-WebSocket-Protocol", ours);
    });
    if (chosen == subprotocols.end() && !subprotocols.empty()) {
      return refuse("WebSocket: none of the offered subprotocols is spoken here");
    }
    std::string protocol(chosen == subprotocols.end() ? std::string_view() : *chosen);
    return start_websocket(take_connection(), std::move(parts_.request), std::move(protocol));
  }

  void on_closed(Task task) override {
    loop_of(*parts_.connection)
        .post([connection = parts_.connection, task = std::move(task)]() mutable {
          connection->watch_client(std::move(task));
        });
  }

 private:
  static SystemLoop& loop_of(Http1Connection& connection) { return connection.wire()->loop(); }
  static std::size_t buffer_bytes(Http1Connection& connection) {
    return connection.shared().options.limits.stream_buffer_bytes;
  }
  // The answer is given: the request counts as answered, whatever becomes of the connection.
  std::shared_ptr<Http1Connection> take_connection() {
    return std::exchange(parts_.connection, nullptr);
  }

  Http1ExchangeParts parts_;
};

}  // namespace

std::unique_ptr<Exchange> make_http1_exchange(Http1ExchangeParts parts) {
  return std::make_unique<Http1Exchange>(std::move(parts));
}

}  // namespace keelson

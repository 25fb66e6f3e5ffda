// Reads when asked, sends what the outbox has, and closes when both directions have ended.
#include "base/tunnel.h"

#include <utility>

namespace keelson {
namespace {

constexpr std::size_t read_bytes = 16 * 1024;  // a TLS record

}  // namespace

class Tunnel::End final : public ByteStream {
 public:
  explicit End(std::shared_ptr<Tunnel> tunnel) : tunnel_(std::move(tunnel)) {}
  ~End() override {
    tunnel_->outbox_->abandon();
    loop().post([tunnel = tunnel_] { tunnel->reader_gone(); });
  }
  bool write(Bytes bytes) override { return tunnel_->outbox_->write(std::move(bytes)); }
  void on_room(Task task) override { tunnel_->outbox_->on_room(std::move(task)); }
  void on_closed(Task task) override { tunnel_->outbox_->on_closed(std::move(task)); }
  void finish() override { tunnel_->outbox_->finish(); }
  // Posted even on the loop's thread: a reader that reads again from its callback must not nest.
  void read(OnBytes done) override {
    loop().post(
        [tunnel = tunnel_, done = std::move(done)]() mutable { tunnel->read(std::move(done)); });
  }

 private:
  SystemLoop& loop() { return tunnel_->wire_->loop(); }
  std::shared_ptr<Tunnel> tunnel_;
};

Tunnel::Tunnel(std::shared_ptr<Wire> wire, std::size_t buffer_bytes)
    : wire_(std::move(wire)), outbox_(std::make_shared<Outbox>(wire_->loop(), buffer_bytes)) {}

std::unique_ptr<ByteStream> Tunnel::stream() {
  return std::make_unique<End>(shared_from_this());
}

void Tunnel::start(std::string early) {
  early_ = std::move(early);
  if (wire_->closed()) return on_lost({Reason::ServiceUnavailable, "connection closed"});
  wire_->use(shared_from_this());
  outbox_->attach([self = shared_from_this()] { self->drain(); });
  wire_->never_expire();
  drain();
}

void Tunnel::read(ByteSource::OnBytes done) {
  reader_ = std::move(done);
  if (!early_.empty()) return give(std::exchange(early_, {}));
  if (lost_) return give(std::unexpected(*lost_));
  if (input_ended_) return give(std::string());
  read_some();
}

void Tunnel::read_some() {
  if (!reader_ || input_ended_ || wire_->closed()) return;
  char buffer[read_bytes];
  const Socket::Moved moved = wire_->read(buffer, sizeof(buffer));
  switch (moved.status) {
    case Socket::Status::Done:
      return give(std::string(buffer, moved.bytes));
    case Socket::Status::Ended:
      input_ended_ = true;
      give(std::string());
      return close_if_over();
    case Socket::Status::Failed:
      return wire_->lose(wire_->socket().error());
    default:
      return;  // it waits
  }
}

void Tunnel::give(Result<std::string> bytes) {
  if (auto reader = std::exchange(reader_, nullptr)) reader(std::move(bytes));
}

void Tunnel::drain() {
  Outbox::Taken taken = outbox_->take();
  if (taken.cut) return wire_->abort({Reason::ServiceUnavailable, "connection given up"});
  for (Bytes& bytes : taken.bytes) wire_->send(std::move(bytes));
  wire_->flush();
  outbox_->sending(wire_->unsent());
  if (taken.finished && !std::exchange(output_ended_, true)) wire_->finish();
  close_if_over();
}

void Tunnel::on_sent() {
  outbox_->sending(wire_->unsent());
  close_if_over();
}

void Tunnel::on_expired() {}

void Tunnel::on_lost(const Error& error) {
  lost_ = error;
  give(std::unexpected(error));
  outbox_->closed();
}

// Nobody reads any more: what was written is still sent, then it is over.
void Tunnel::reader_gone() {
  reader_ = nullptr;
  input_ended_ = true;
  close_if_over();
}

void Tunnel::close_if_over() {
  if (!input_ended_ || !output_ended_ || wire_->unsent() > 0 || wire_->closed()) return;
  wire_->close();
  outbox_->closed();
}

}  // namespace keelson

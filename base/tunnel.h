// A Wire as a ByteStream: what is left of HTTP after an upgrade, at either end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/byte_stream.h"
#include "base/outbox.h"
#include "base/wire.h"

namespace keelson {

class Tunnel final : public Wire::User, public std::enable_shared_from_this<Tunnel> {
 public:
  Tunnel(std::shared_ptr<Wire> wire, std::size_t buffer_bytes);

  // The end for the caller; any thread, once.
  std::unique_ptr<ByteStream> stream();
  // Takes the wire over; what was received with the upgrade comes first. On the loop.
  void start(std::string early);

  void on_readable() override { read_some(); }
  void on_sent() override;
  void on_expired() override;
  void on_lost(const Error& error) override;

 private:
  class End;
  void read(ByteSource::OnBytes done);
  void read_some();
  void give(Result<std::string> bytes);
  void drain();
  void reader_gone();
  void close_if_over();

  std::shared_ptr<Wire> wire_;
  std::shared_ptr<Outbox> outbox_;
  std::string early_;
  ByteSource::OnBytes reader_;
  std::optional<Error> lost_;
  bool input_ended_ = false;
  bool output_ended_ = false;
};

}  // namespace keelson

// A connected socket, bare or under TLS: reads and writes that never wait. Who waits for it is
// wire.h.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/tls.h"

namespace keelson {

class Socket {
 public:
  enum class Status {
    Done,
    WantRead,   // again once the descriptor is readable
    WantWrite,  // again once it is writable
    Ended,      // the peer has finished sending
    Failed,     // lost; see error()
  };
  struct Moved {
    Status status = Status::Done;
    std::size_t bytes = 0;
  };

  explicit Socket(Fd fd);  // bare
  // A server's end, or a client's whose peer must show a certificate for expected_name.
  Socket(Fd fd, TlsContextPtr tls, const std::string& expected_name = {});
  ~Socket();
  Socket(Socket&&) noexcept;

  Status handshake();  // until Done; a bare socket is done at once
  Moved read(char* data, std::size_t size);
  // What cannot be sent now is offered again later, from the same byte on and no shorter.
  Moved write(std::span<const iovec> pieces);
  Status finish();        // no more will be written: close_notify and FIN
  void reset_at_close();  // a bare socket's peer would take the close for our finish()
  void close() { fd_ = Fd(); }
  bool has_buffered() const;  // bytes that were received already: do not wait before reading

  int fd() const { return fd_.get(); }
  std::optional<TlsPeer> peer() const;  // of a server's end: the certificate shown
  const Error& error() const { return error_; }

 private:
  struct Tls;
  Status failed(int error_number);
  Status tls_status(int returned);
  Moved write_tls(std::span<const iovec> pieces);

  Fd fd_;
  std::unique_ptr<Tls> tls_;
  Error error_{Reason::ServiceUnavailable, "connection lost"};
};

}  // namespace keelson

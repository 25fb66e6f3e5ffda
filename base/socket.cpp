// recv and sendmsg, or SSL_read and SSL_write.
#include "base/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/tls_context.h"

namespace keelson {
namespace {

// A peer that vanished (no FIN, no RST) is given up after about a minute.
constexpr int keepalive_idle_seconds = 30;
constexpr int keepalive_interval_seconds = 10;
constexpr int keepalive_probes = 3;
constexpr std::size_t tls_record_bytes = 16 * 1024;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof(value));  // a Unix socket has none of these
}

void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
}

bool is_address(const std::string& name) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

void expect(SSL* ssl, const std::string& name) {
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
  }
}

}  // namespace

struct Socket::Tls {
  TlsContextPtr context;
  OpensslPtr<SSL, SSL_free> ssl;
};

Socket::Socket(Fd fd) : fd_(std::move(fd)) {
  tune(fd_.get());
}

Socket::Socket(Fd fd, TlsContextPtr tls, const std::string& expected_name) : Socket(std::move(fd)) {
  SSL* ssl = SSL_new(tls->context.get());
  BIO* bio = BIO_new(tls->socket_method.get());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd_.get())));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // takes it over
  if (tls->server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    expect(ssl, expected_name);
  }
  tls_ = std::make_unique<Tls>(Tls{std::move(tls), OpensslPtr<SSL, SSL_free>(ssl)});
}

Socket::~Socket() = default;
Socket::Socket(Socket&&) noexcept = default;

Socket::Status Socket::failed(int error_number) {
  if (error_number == EAGAIN || error_number == EINTR) return Status::WantRead;
  error_ = fail_errno(error_number, "connection").error();
  error_.reason = Reason::ServiceUnavailable;
  return Status::Failed;
}

Socket::Status Socket::tls_status(int returned) {
  const int system_error = errno;
  SSL* ssl = tls_->ssl.get();
  switch (SSL_get_error(ssl, returned)) {
    case SSL_ERROR_WANT_READ:
      return Status::WantRead;
    case SSL_ERROR_WANT_WRITE:
      return Status::WantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Status::Ended;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return failed(system_error != 0 ? system_error : ECONNRESET);
    default:
      break;
  }
  const long verdict = SSL_get_verify_result(ssl);
  const std::string why = openssl_error();
  error_ = {Reason::ServiceUnavailable, "TLS: " + why};
  if (!tls_->context->server && verdict != X509_V_OK) {
    error_.message = "TLS: the server's certificate: " + verify_error_text(verdict);
  }
  return Status::Failed;
}

Socket::Status Socket::handshake() {
  if (tls_ == nullptr) return Status::Done;
  ERR_clear_error();
  errno = 0;
  const int done = SSL_do_handshake(tls_->ssl.get());
  return done == 1 ? Status::Done : tls_status(done);
}

Socket::Moved Socket::read(char* data, std::size_t size) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    std::size_t got = 0;
    const int done = SSL_read_ex(tls_->ssl.get(), data, size, &got);
    return done == 1 ? Moved{Status::Done, got} : Moved{tls_status(done)};
  }
  const ssize_t got = ::recv(fd_.get(), data, size, 0);
  if (got > 0) return {Status::Done, static_cast<std::size_t>(got)};
  return {got == 0 ? Status::Ended : failed(errno)};
}

Socket::Moved Socket::write(std::span<const iovec> pieces) {
  if (tls_ != nullptr) return write_tls(pieces);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  if (sent >= 0) return {Status::Done, static_cast<std::size_t>(sent)};
  const Status status = failed(errno);
  return {status == Status::WantRead ? Status::WantWrite : status};
}

// Small pieces share a record: each costs 22 bytes and a system call.
Socket::Moved Socket::write_tls(std::span<const iovec> pieces) {
  std::array<char, tls_record_bytes> record;
  const char* data = static_cast<const char*>(pieces.front().iov_base);
  std::size_t size = std::min(pieces.front().iov_len, tls_record_bytes);
  if (pieces.size() > 1 && size < tls_record_bytes) {
    size = 0;
    for (const iovec& piece : pieces) {
      const std::size_t take = std::min(piece.iov_len, tls_record_bytes - size);
      std::memcpy(record.data() + size, piece.iov_base, take);
      size += take;
      if (size == tls_record_bytes) break;
    }
    data = record.data();
  }
  ERR_clear_error();
  errno = 0;
  std::size_t sent = 0;
  const int done = SSL_write_ex(tls_->ssl.get(), data, size, &sent);
  return done == 1 ? Moved{Status::Done, sent} : Moved{tls_status(done)};
}

Socket::Status Socket::finish() {
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int done = SSL_shutdown(tls_->ssl.get());
    const Status status = done >= 0 ? Status::Done : tls_status(done);
    if (status == Status::WantWrite) return status;
  }
  ::shutdown(fd_.get(), SHUT_WR);
  return Status::Done;
}

void Socket::reset_at_close() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

bool Socket::has_buffered() const {
  return tls_ != nullptr && SSL_has_pending(tls_->ssl.get()) == 1;
}

std::optional<TlsPeer> Socket::peer() const {
  if (tls_ == nullptr) return std::nullopt;
  X509* certificate = SSL_get0_peer_certificate(tls_->ssl.get());
  if (certificate == nullptr) return std::nullopt;
  TlsPeer peer = describe_peer(*certificate);
  const long verdict = SSL_get_verify_result(tls_->ssl.get());
  if (verdict != X509_V_OK) peer.error = verify_error_text(verdict);
  return peer;
}

}  // namespace keelson

// What is inside a TlsContext; for socket.cpp and tls.cpp alone.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/tls.h"

namespace keelson {

template <auto release>
struct OpensslDelete {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
template <typename T, auto release>
using OpensslPtr = std::unique_ptr<T, OpensslDelete<release>>;

class TlsContext {
 public:
  OpensslPtr<SSL_CTX, SSL_CTX_free> context;
  OpensslPtr<BIO_METHOD, BIO_meth_free> socket_method;  // reads and writes without SIGPIPE
  bool server = false;
};

// Takes OpenSSL's queue of errors: the first, in words. "unknown error" if there is none.
std::string openssl_error();
std::string verify_error_text(long verify_result);

// From the certificate the other side showed.
TlsPeer describe_peer(X509& certificate);

}  // namespace keelson

// TLS contexts: protocol versions, verification and memory are settled here, once.
#include "base/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>

namespace keelson {
namespace {

using BioPtr = OpensslPtr<BIO, BIO_free>;
using X509Ptr = OpensslPtr<X509, X509_free>;
using KeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;

constexpr unsigned char alpn_http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

BioPtr memory_bio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL's own socket BIO calls write(2), and a peer that is gone would end us by SIGPIPE.
int bio_fd(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_moved(BIO* bio, ssize_t moved, int retry) {
  BIO_clear_retry_flags(bio);
  if (moved < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  return static_cast<int>(moved);
}

int bio_write(BIO* bio, const char* data, int size) {
  return bio_moved(bio, ::send(bio_fd(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL),
                   BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* data, int size) {
  return bio_moved(bio, ::recv(bio_fd(bio), data, static_cast<std::size_t>(size), 0),
                   BIO_FLAGS_READ);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Result<std::shared_ptr<TlsContext>> new_context(bool server) {
  auto made = std::make_shared<TlsContext>();
  made->server = server;
  made->context.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  made->socket_method.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket"));
  SSL_CTX* context = made->context.get();
  BIO_METHOD* method = made->socket_method.get();
  if (context == nullptr || method == nullptr) {
    return fail(Reason::InternalError, "make a TLS context: {}", openssl_error());
  }
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  // A resumed session would skip the check that a client's certificate is still valid.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // RELEASE_BUFFERS: an idle connection holds no 16 kB buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // one recv a record instead of two
  return made;
}

Result<> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  BioPtr bio = memory_bio(identity.certificate_pem);
  X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (leaf == nullptr) return fail(Reason::Invalid, "certificate: {}", openssl_error());
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return fail(Reason::Invalid, "certificate: {}", openssl_error());
  }
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(context, next);  // takes it over
  }
  ERR_clear_error();  // the end of the text
  bio = memory_bio(identity.key_pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return fail(Reason::Invalid, "private key: {}", openssl_error());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(Reason::Invalid, "private key does not belong to the certificate: {}",
                openssl_error());
  }
  return {};
}

// Adds every certificate of the text to what the context trusts; returns how many.
Result<int> trust(SSL_CTX* context, const std::string& ca_pem, bool name_them) {
  BioPtr bio = memory_bio(ca_pem);
  int count = 0;
  while (X509Ptr ca{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get());
    if (name_them) SSL_CTX_add_client_CA(context, ca.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return fail(Reason::Invalid, "CA certificate: no PEM certificate in it");
  return count;
}

// Verifies and lets everyone in: the verdict is kept in SSL_get_verify_result.
int note_verdict(X509_STORE_CTX* store, void*) {
  X509_verify_cert(store);
  return 1;
}

// A client that insists on something else than HTTP/1.1 is told in the handshake.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, alpn_http1, sizeof(alpn_http1),
                                          offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::vector<std::string> subject_values(X509_NAME* subject, int nid) {
  std::vector<std::string> values;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, nid, at)) >= 0;) {
    values.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return values;
}

}  // namespace

Result<TlsContextPtr> make_tls_context(const TlsServerConfig& config) {
  auto made = new_context(true);
  if (!made) return std::unexpected(made.error());
  SSL_CTX* context = (*made)->context.get();
  if (Result<> used = use_identity(context, config.identity); !used) {
    return used.error().during("serve TLS");
  }
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (config.client_ca_pem.empty()) return *made;
  if (auto trusted = trust(context, config.client_ca_pem, true); !trusted) {
    return trusted.error().during("serve TLS: client certificates");
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, note_verdict, nullptr);
  return *made;
}

Result<TlsContextPtr> make_tls_context(const TlsClientConfig& config) {
  auto made = new_context(false);
  if (!made) return std::unexpected(made.error());
  SSL_CTX* context = (*made)->context.get();
  if (!config.any_server) {
    if (auto trusted = trust(context, config.ca_pem, false); !trusted) {
      return trusted.error().during("connect by TLS");
    }
  }
  SSL_CTX_set_verify(context, config.any_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, alpn_http1, sizeof(alpn_http1));
  if (config.identity.certificate_pem.empty()) return *made;
  if (Result<> used = use_identity(context, config.identity); !used) {
    return used.error().during("connect by TLS");
  }
  return *made;
}

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

std::string verify_error_text(long verify_result) {
  return X509_verify_cert_error_string(verify_result);
}

TlsPeer describe_peer(X509& certificate) {
  TlsPeer peer;
  X509_NAME* subject = X509_get_subject_name(&certificate);
  auto names = subject_values(subject, NID_commonName);
  if (!names.empty()) peer.common_name = std::move(names.front());
  peer.organizations = subject_values(subject, NID_organizationName);
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &end) == 1) {
    peer.not_after = std::chrono::system_clock::from_time_t(::timegm(&end));
  }
  return peer;
}

}  // namespace keelson

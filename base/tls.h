// TLS contexts by OpenSSL: who we are, whom we trust, and who the peer has proved to be.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace keelson {

struct TlsIdentity {
  std::string certificate_pem;  // the chain, own certificate first
  std::string key_pem;
};

// Settings of new connections; immutable and shared, so that a reload is a swap of pointers.
class TlsContext;
using TlsContextPtr = std::shared_ptr<const TlsContext>;

// With client_ca_pem a client is asked for a certificate; it may have none, or one that does not
// verify: see TlsPeer. Never refused in the handshake, as Kubernetes does it.
struct TlsServerConfig {
  TlsIdentity identity;
  std::string client_ca_pem = {};
};
Result<TlsContextPtr> make_tls_context(const TlsServerConfig& config);

// The server's certificate must come from ca_pem and name what we dial.
struct TlsClientConfig {
  std::string ca_pem = {};
  TlsIdentity identity = {};  // empty: none is shown
  bool any_server = false;    // encrypts without knowing to whom: for probes of what runs here
};
Result<TlsContextPtr> make_tls_context(const TlsClientConfig& config);

// The certificate a client showed.
struct TlsPeer {
  std::string common_name;                 // the user
  std::vector<std::string> organizations;  // its groups
  WallTime not_after{};
  std::string error;  // not empty: it does not verify, and this is why; nothing above is proved
};

}  // namespace keelson

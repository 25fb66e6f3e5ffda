// The certificates the API server lives by: kept in its folder, renewed before they end.
#pragma once

#include <string>
#include <vector>

#include "base/tls.h"
#include "base/x509.h"

namespace keelson {

struct ServerCertificates {
  std::string authority_pem;
  TlsContextPtr serving;  // asks clients for certificates of our authority
  TlsContextPtr to_nodes;

  // Makes what is missing or due. The authority is made once, and never replaced.
  static Result<ServerCertificates> load(const std::string& folder,
                                         const std::vector<std::string>& addresses,
                                         const std::string& first_service_address, WallTime now);
};

}  // namespace keelson

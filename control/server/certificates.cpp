// One authority, and two identities of the server: to clients, and to the nodes' agents.
#include "control/server/certificates.h"

#include "api/pki.h"

namespace keelson {

Result<ServerCertificates> ServerCertificates::load(const std::string& folder,
                                                    const std::vector<std::string>& addresses,
                                                    const std::string& first_service_address,
                                                    WallTime now) {
  auto authority = load_or_make_authority(folder, "ca", std::string(authority_name), now);
  if (!authority) return std::unexpected(authority.error());
  ServerCertificates made{.authority_pem = authority->identity().certificate_pem};

  auto own = load_or_issue(
      *authority, {folder, "api-server", api_server_certificate(addresses, first_service_address)},
      now);
  if (!own) return std::unexpected(own.error());
  auto serving = make_tls_context(
      TlsServerConfig{.identity = std::move(*own), .client_ca_pem = made.authority_pem});
  if (!serving) return std::unexpected(serving.error());
  made.serving = std::move(*serving);

  auto client = load_or_issue(*authority,
                              {folder, "api-server-client", api_server_client_certificate()}, now);
  if (!client) return std::unexpected(client.error());
  auto to_nodes = make_tls_context(
      TlsClientConfig{.ca_pem = made.authority_pem, .identity = std::move(*client)});
  if (!to_nodes) return std::unexpected(to_nodes.error());
  made.to_nodes = std::move(*to_nodes);
  return made;
}

}  // namespace keelson

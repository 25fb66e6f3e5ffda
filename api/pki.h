// Which certificates a cluster has, and whom they name: the users and groups that Kubernetes knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/x509.h"

namespace keelson {

inline constexpr std::string_view authority_name = "keelson-ca";

// The API server's: it is reached by loopback, by its own addresses and names, and from pods as
// kubernetes[.default[.svc[.cluster.local]]] and the first Service address.
CertificateSpec api_server_certificate(const std::vector<std::string>& addresses,
                                       const std::string& first_service_address);
// The API server's own, as client of the agents: what their endpoints let in.
CertificateSpec api_server_client_certificate();
// A node's, to serve its endpoint and to ask the API.
CertificateSpec node_certificate(const std::string& node_name,
                                 const std::vector<std::string>& addresses);
CertificateSpec admin_certificate();  // may do everything

std::string node_user(std::string_view node_name);  // "system:node:node-1"
inline constexpr std::string_view nodes_group = "system:nodes";
inline constexpr std::string_view masters_group = "system:masters";
inline constexpr std::string_view api_server_user = "kube-apiserver-kubelet-client";

}  // namespace keelson

// Names as kubeadm gives them, so that what reads them finds what it expects.
#include "api/pki.h"

namespace keelson {

CertificateSpec api_server_certificate(const std::vector<std::string>& addresses,
                                       const std::string& first_service_address) {
  CertificateSpec spec{.common_name = "kube-apiserver", .server = true};
  spec.names = {"127.0.0.1",
                "::1",
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                first_service_address};
  spec.names.insert(spec.names.end(), addresses.begin(), addresses.end());
  return spec;
}

CertificateSpec api_server_client_certificate() {
  return {.common_name = std::string(api_server_user),
          .organizations = {std::string(masters_group)},
          .client = true};
}

CertificateSpec node_certificate(const std::string& node_name,
                                 const std::vector<std::string>& addresses) {
  CertificateSpec spec{.common_name = node_user(node_name),
                       .organizations = {std::string(nodes_group)},
                       .names = {node_name},
                       .server = true,
                       .client = true};
  spec.names.insert(spec.names.end(), addresses.begin(), addresses.end());
  return spec;
}

CertificateSpec admin_certificate() {
  return {.common_name = "kubernetes-admin",
          .organizations = {std::string(masters_group)},
          .client = true};
}

std::string node_user(std::string_view node_name) {
  return "system:node:" + std::string(node_name);
}

}  // namespace keelson

// kubeconfig files: one cluster, one user, everything embedded.
#pragma once

#include <string>
#include <string_view>

#include "api/http_client.h"

namespace keelson {

struct Kubeconfig {
  std::string cluster = "keelson";
  std::string user = "admin";
  ApiServer server;
};

std::string kubeconfig_text(const Kubeconfig& config);  // YAML; it holds a private key
// That of its current context. Invalid: what is missing, by its path; certificates in files of
// their own are not read (`kubectl config view --flatten --raw` embeds them).
Result<Kubeconfig> parse_kubeconfig(std::string_view text);

}  // namespace keelson

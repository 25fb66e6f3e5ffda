// Written as kubectl config would; read by path.
#include "api/kubeconfig.h"

#include "api/go_text.h"
#include "api/json.h"

namespace keelson {
namespace {

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

// The fields of one entry of the file: {"name": …, "cluster": {…}}.
const json::object* find_entry(const json::object& file, std::string_view list,
                               std::string_view name, std::string_view of) {
  const json::value* entries = file.if_contains(list);
  if (entries == nullptr || !entries->is_array()) return nullptr;
  for (const json::value& entry : entries->get_array()) {
    if (!entry.is_object()) continue;
    const json::value* its_name = entry.get_object().if_contains("name");
    const json::value* fields = entry.get_object().if_contains(of);
    if (its_name == nullptr || !its_name->is_string() || its_name->get_string() != name) continue;
    if (fields != nullptr && fields->is_object()) return &fields->get_object();
  }
  return nullptr;
}

std::string text_of(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

// NAME-data, decoded; "" if there is none.
Result<std::string> embedded(const json::object& fields, const std::string& name) {
  if (fields.contains(name)) {
    return fail(Reason::Invalid,
                "kubeconfig: {} names a file; embed it: kubectl config view --flatten --raw", name);
  }
  const std::string text = text_of(fields, name + "-data");
  std::string bytes;
  std::size_t bad_index = 0;
  if (!parse_base64(text, bytes, bad_index)) {
    return fail(Reason::Invalid, "kubeconfig: {}-data: illegal base64 at byte {}", name, bad_index);
  }
  return bytes;
}

Result<> read_cluster(const json::object& fields, ApiServer& server) {
  server.url = text_of(fields, "server");
  if (server.url.empty()) return fail(Reason::Invalid, "kubeconfig: its cluster has no server");
  auto ca = embedded(fields, "certificate-authority");
  if (!ca) return std::unexpected(ca.error());
  server.tls.ca_pem = std::move(*ca);
  return {};
}

Result<> read_user(const json::object& fields, ApiServer& server) {
  auto certificate = embedded(fields, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = embedded(fields, "client-key");
  if (!key) return std::unexpected(key.error());
  server.tls.identity = {std::move(*certificate), std::move(*key)};
  return {};
}

}  // namespace

std::string kubeconfig_text(const Kubeconfig& config) {
  const TlsClientConfig& tls = config.server.tls;
  const std::string context = config.user + "@" + config.cluster;
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "current-context: {context}\n"
      "clusters:\n"
      "- name: {cluster}\n"
      "  cluster:\n"
      "    server: {server}\n"
      "    certificate-authority-data: {ca}\n"
      "users:\n"
      "- name: {user}\n"
      "  user:\n"
      "    client-certificate-data: {certificate}\n"
      "    client-key-data: {key}\n"
      "contexts:\n"
      "- name: {context}\n"
      "  context:\n"
      "    cluster: {cluster}\n"
      "    user: {user}\n",
      fmt::arg("context", context), fmt::arg("cluster", config.cluster),
      fmt::arg("server", config.server.url), fmt::arg("ca", base64(tls.ca_pem)),
      fmt::arg("user", config.user), fmt::arg("certificate", base64(tls.identity.certificate_pem)),
      fmt::arg("key", base64(tls.identity.key_pem)));
}

Result<Kubeconfig> parse_kubeconfig(std::string_view text) {
  auto document = parse_yaml(text);
  if (!document) return document.error().during("kubeconfig");
  if (!document->tree.is_object()) return fail(Reason::Invalid, "kubeconfig: it is no mapping");
  const json::object& file = document->tree.get_object();
  const std::string current = text_of(file, "current-context");
  const json::object* context = find_entry(file, "contexts", current, "context");
  if (context == nullptr) {
    return fail(Reason::Invalid, "kubeconfig: current-context {:?} is not among its contexts",
                current);
  }
  Kubeconfig config{.cluster = text_of(*context, "cluster"), .user = text_of(*context, "user")};
  const json::object* cluster = find_entry(file, "clusters", config.cluster, "cluster");
  const json::object* user = find_entry(file, "users", config.user, "user");
  if (cluster == nullptr) {
    return fail(Reason::Invalid, "kubeconfig: cluster {:?} is not among its clusters",
                config.cluster);
  }
  if (user == nullptr) {
    return fail(Reason::Invalid, "kubeconfig: user {:?} is not among its users", config.user);
  }
  if (Result<> read = read_cluster(*cluster, config.server); !read) {
    return std::unexpected(read.error());
  }
  if (Result<> read = read_user(*user, config.server); !read) {
    return std::unexpected(read.error());
  }
  return config;
}

}  // namespace keelson

// kubeconfig there and back, by us and by kubectl; and who the certificates name.
#include "api/kubeconfig.h"

#include <cstdio>
#include <cstdlib>

#include "api/pki.h"
#include "base/files.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

const WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;

Kubeconfig sample() {
  return {.server = {.url = "https://127.0.0.1:6443",
                     .tls = {.ca_pem = "ca\n", .identity = {"certificate\n", "key\n"}}}};
}

}  // namespace

TEST_GROUP(KubeconfigFile){};

TEST(KubeconfigFile, what_is_written_is_read) {
  auto read = parse_kubeconfig(kubeconfig_text(sample()));
  CHECK_TEXT(read.has_value(), read ? "" : read.error().message.c_str());
  STRCMP_EQUAL("https://127.0.0.1:6443", read->server.url.c_str());
  STRCMP_EQUAL("ca\n", read->server.tls.ca_pem.c_str());
  STRCMP_EQUAL("certificate\n", read->server.tls.identity.certificate_pem.c_str());
  STRCMP_EQUAL("key\n", read->server.tls.identity.key_pem.c_str());
  STRCMP_EQUAL("admin", read->user.c_str());
  STRCMP_EQUAL("keelson", read->cluster.c_str());
}

TEST(KubeconfigFile, kubectl_reads_it) {
  if (std::system("command -v kubectl >/dev/null 2>&1") != 0) {
    std::puts("skipped: kubectl is not installed");
    return;
  }
  char path[] = "/tmp/keelson-kubeconfig-XXXXXX";
  CHECK(::mkstemp(path) >= 0);
  CHECK(replace_file(path, kubeconfig_text(sample()), 0600).has_value());
  const std::string command = std::string("kubectl --kubeconfig ") + path +
                              " config view --raw -o jsonpath='{.current-context} "
                              "{.clusters[0].cluster.server} {.users[0].user.client-key-data}'";
  FILE* pipe = ::popen(command.c_str(), "r");
  char line[256] = "";
  const bool got = ::fgets(line, sizeof(line), pipe) != nullptr;
  ::pclose(pipe);
  ::unlink(path);
  CHECK(got);
  STRCMP_EQUAL("admin@keelson https://127.0.0.1:6443 a2V5Cg==", line);
}

TEST(KubeconfigFile, says_what_is_missing) {
  struct Case {
    const char* take;
    const char* put;
    const char* says;
  };
  const Case cases[] = {
      {"current-context: admin@keelson", "current-context: other",
       "\"other\" is not among its contexts"},
      {"- name: keelson", "- name: else", "\"keelson\" is not among its clusters"},
      {"- name: admin\n", "- name: else\n", "\"admin\" is not among its users"},
      {"    server: https://127.0.0.1:6443\n", "", "has no server"},
      {"client-key-data: a2V5Cg==", "client-key: /etc/key", "client-key names a file"},
      {"client-key-data: a2V5Cg==", "client-key-data: '%'", "client-key-data: illegal base64"},
      {"apiVersion: v1", "{", "kubeconfig: "},
  };
  for (const Case& c : cases) {
    std::string text = kubeconfig_text(sample());
    const auto at = text.find(c.take);
    CHECK_TEXT(at != std::string::npos, c.take);
    text.replace(at, std::string(c.take).size(), c.put);
    auto read = parse_kubeconfig(text);
    CHECK_TEXT(!read.has_value(), c.says);
    CHECK_TEXT(read.error().message.contains(c.says), read.error().message.c_str());
  }
  CHECK(!parse_kubeconfig("").has_value());
  CHECK(!parse_kubeconfig("[]").has_value());
}

TEST(KubeconfigFile, certificates_name_whom_kubernetes_knows) {
  const CertificateAuthority authority =
      std::move(*CertificateAuthority::make(std::string(authority_name), noon));
  auto facts = [&](const CertificateSpec& spec) {
    return *read_certificate(authority.issue(spec, noon)->certificate_pem);
  };
  const CertificateFacts node = facts(node_certificate("node-1", {"10.89.0.11"}));
  STRCMP_EQUAL("system:node:node-1", node.common_name.c_str());
  CHECK(node.organizations == std::vector<std::string>{"system:nodes"});
  CHECK(node.names == (std::vector<std::string>{"node-1", "10.89.0.11"}));
  const CertificateFacts server = facts(api_server_certificate({"10.89.0.1", "cp"}, "10.96.0.1"));
  CHECK(!needs_renewal(server,
                       {"127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default",
                        "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
                        "10.96.0.1", "10.89.0.1", "cp"},
                       noon));
  CHECK(facts(admin_certificate()).organizations == std::vector<std::string>{"system:masters"});
  STRCMP_EQUAL("kube-apiserver-kubelet-client",
               facts(api_server_client_certificate()).common_name.c_str());
}

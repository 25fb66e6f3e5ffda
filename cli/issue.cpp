// keelson server issue-node, keelson server kubeconfig: credentials of a cluster whose CA is here.
#include "cli/issue.h"

#include <cstdio>

#include "api/kubeconfig.h"
#include "api/pki.h"
#include "base/files.h"
#include "cli/subcommand.h"

namespace keelson::cli {
namespace {

struct Options {
  std::string data = "/var/lib/keelson/server";
  std::string node, address, out, url;
};

CertificateAuthority authority_of(const Options& options, WallTime now) {
  auto authority =
      load_or_make_authority(options.data + "/pki", "ca", std::string(authority_name), now);
  if (!authority) fail_with("server", authority.error().message);
  return std::move(*authority);
}

TlsIdentity issue(const Options& options, const KeptIdentity& kept, WallTime now) {
  auto identity = load_or_issue(authority_of(options, now), kept, now);
  if (!identity) fail_with("server", identity.error().message);
  return std::move(*identity);
}

void issue_node(const Options& options) {
  const WallTime now = SystemClock().wall();
  std::vector<std::string> addresses;
  if (!options.address.empty()) addresses.push_back(options.address);
  issue(options, {options.out, "node", node_certificate(options.node, addresses)}, now);
  const std::string ca = authority_of(options, now).identity().certificate_pem;
  if (auto written = replace_file(options.out + "/ca.crt", ca, 0644); !written) {
    fail_with("server issue-node", written.error().message);
  }
}

void print_kubeconfig(const Options& options) {
  const WallTime now = SystemClock().wall();
  Kubeconfig config;
  config.server.url = options.url;
  config.server.tls.ca_pem = authority_of(options, now).identity().certificate_pem;
  config.server.tls.identity =
      issue(options, {options.data + "/pki", "admin", admin_certificate()}, now);
  std::fputs(kubeconfig_text(config).c_str(), stdout);
}

}  // namespace

void add_issue(CLI::App& server) {
  auto options = std::make_shared<Options>();
  auto add_data = [&options](CLI::App* command) {
    command->add_option("--data-dir", options->data, "The control plane's folder")
        ->capture_default_str();
  };
  CLI::App* node = server.add_subcommand(
      "issue-node", "Make what a node needs to join: ca.crt, node.crt and node.key");
  node->add_option("name", options->node, "The node's name")->required();
  node->add_option("--address", options->address, "The address it is reached by");
  node->add_option("--out", options->out, "Folder for the files")->required();
  add_data(node);
  node->callback([options] { issue_node(*options); });

  CLI::App* kubeconfig =
      server.add_subcommand("kubeconfig", "Print a kubeconfig of the cluster's administrator");
  kubeconfig->add_option("--url", options->url, "Where the API server is reached")
      ->default_val("https://127.0.0.1:6443");
  add_data(kubeconfig);
  kubeconfig->callback([options] { print_kubeconfig(*options); });
}

}  // namespace keelson::cli

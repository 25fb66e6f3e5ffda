// As kubelet writes them.
#include "nodeagent/pod_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "api/proto/core/v1/pod.pb.h"

namespace keelson {
namespace {

constexpr std::size_t hostname_max = 63;    // HOST_NAME_MAX is 64, a DNS label 63
constexpr std::size_t nameservers_max = 3;  // the resolver's MAXNS; Kubernetes cuts here too
constexpr std::size_t searches_max = 32;    // Kubernetes' MaxDNSSearchPaths
constexpr const char* default_ndots = "ndots:5";

struct Resolver {
  std::vector<std::string> nameservers, searches, options;
};

// `search` and `domain` replace each other, the last counts.
Resolver parse_resolver(std::string_view text) {
  Resolver resolver;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find_first_of("#;"));
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    std::vector<std::string> rest;
    for (std::string word; words >> word;) rest.push_back(word);
    if (rest.empty()) continue;
    if (keyword == "nameserver") resolver.nameservers.push_back(rest.front());
    if (keyword == "search" || keyword == "domain") resolver.searches = rest;
    if (keyword == "options") resolver.options = rest;
  }
  return resolver;
}

void add_new(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// "ndots:2" replaces "ndots:5".
void set_option(std::vector<std::string>& options, const std::string& option) {
  const std::string name = option.substr(0, option.find(':'));
  for (std::string& known : options) {
    if (known.substr(0, known.find(':')) == name) {
      known = option;
      return;
    }
  }
  options.push_back(option);
}

std::string text_of(Resolver resolver) {
  resolver.nameservers.resize(std::min(resolver.nameservers.size(), nameservers_max));
  resolver.searches.resize(std::min(resolver.searches.size(), searches_max));
  std::string text;
  if (!resolver.searches.empty()) {
    text += fmt::format("search {}\n", fmt::join(resolver.searches, " "));
  }
  for (const auto& server : resolver.nameservers) text += "nameserver " + server + "\n";
  if (!resolver.options.empty()) {
    text += fmt::format("options {}\n", fmt::join(resolver.options, " "));
  }
  return text;
}

Resolver by_policy(const core::Pod& pod, const DnsSettings& settings) {
  const std::string& policy = pod.spec().dnspolicy();
  const bool cluster = policy == "ClusterFirstWithHostNet" ||
                       (policy != "Default" && policy != "None" && !pod.spec().hostnetwork());
  if (policy == "None") return {};
  Resolver node = parse_resolver(settings.node_file);
  if (!cluster || settings.cluster_ip.empty()) return node;
  const std::string& domain = settings.domain;
  Resolver resolver{
      .nameservers = {settings.cluster_ip},
      .searches = {pod.metadata().namespace_() + ".svc." + domain, "svc." + domain, domain},
      .options = {default_ndots}};
  for (const auto& search : node.searches) add_new(resolver.searches, search);
  return resolver;
}

std::string aliases_of(const core::Pod& pod) {
  std::string text;
  for (const auto& alias : pod.spec().hostaliases()) {
    text += fmt::format("{}\t{}\n", alias.ip(),
                        fmt::join(alias.hostnames().begin(), alias.hostnames().end(), "\t"));
  }
  return text.empty() ? text : "\n# Entries added by HostAliases.\n" + text;
}

}  // namespace

std::string hostname_of(const core::Pod& pod) {
  std::string name = pod.spec().hostname().empty() ? pod.metadata().name() : pod.spec().hostname();
  if (name.size() > hostname_max) name.resize(hostname_max);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

std::string hosts_file(const core::Pod& pod, const std::vector<std::string>& ips,
                       std::string_view node_file) {
  if (pod.spec().hostnetwork()) {
    return "# Kubernetes-managed hosts file (host network).\n" + std::string(node_file) +
           aliases_of(pod);
  }
  std::string text =
      "# Kubernetes-managed hosts file.\n"
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::\tip6-localnet\n"
      "fe00::0\tip6-mcastprefix\n"
      "fe00::1\tip6-allnodes\n"
      "fe00::2\tip6-allrouters\n";
  const std::string name = hostname_of(pod);
  const std::string& subdomain = pod.spec().subdomain();
  for (const auto& ip : ips) {
    if (subdomain.empty()) {
      text += fmt::format("{}\t{}\n", ip, name);
    } else {
      text += fmt::format("{}\t{}.{}.{}.svc.cluster.local\t{}\n", ip, name, subdomain,
                          pod.metadata().namespace_(), name);
    }
  }
  return text + aliases_of(pod);
}

std::string resolv_file(const core::Pod& pod, const DnsSettings& settings) {
  Resolver resolver = by_policy(pod, settings);
  const auto& config = pod.spec().dnsconfig();
  for (const auto& server : config.nameservers()) add_new(resolver.nameservers, server);
  for (const auto& search : config.searches()) add_new(resolver.searches, search);
  for (const auto& option : config.options()) {
    set_option(resolver.options,
               option.has_value() ? option.name() + ":" + option.value() : option.name());
  }
  return text_of(std::move(resolver));
}

}  // namespace keelson

// The files a pod gets of its node: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types.h"

namespace k8s::io::api::core::v1 {
class Pod;
}

namespace keelson {

// What uname and /etc/hostname say: spec.hostname or the pod's name, cut to what a kernel takes.
std::string hostname_of(const core::Pod& pod);

// For a pod on the node's network, the node's own file with its aliases added.
std::string hosts_file(const core::Pod& pod, const std::vector<std::string>& ips,
                       std::string_view node_file);

struct DnsSettings {
  std::string cluster_ip;  // of the cluster's DNS; empty: there is none
  std::string domain = "cluster.local";
  std::string node_file;  // the node's resolv.conf
};
// By dnsPolicy and dnsConfig.
std::string resolv_file(const core::Pod& pod, const DnsSettings& settings);

}  // namespace keelson

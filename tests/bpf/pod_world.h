// A node with three pods that answer at port 8080 and a client pod, all on veths of the node.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "proxy/ipv4.h"
#include "proxy/loader.h"
#include "tests/bpf/sandbox.h"
#include "tests/bpf/sockets.h"

namespace keelson::proxy {

// Pods 10.88.1.2, 10.88.2.2, 10.88.3.2; the client 10.88.9.2; the node at .1 of each.
struct PodWorld {
  static constexpr int pods = 3;
  Sandbox sandbox;
  std::string bpffs = sandbox.make_bpffs("node");

  PodWorld() {
    sandbox.ip(
        "", "netns add node\nnetns add client\nnetns add pod1\nnetns add pod2\nnetns add pod3\n");
    sandbox.ip("node", "link set lo up\n");
    sandbox.sysctl("node", "ip_forward", "1");
    add_pod("client", 9);
    for (int i = 1; i <= pods; ++i) {
      const std::string name = fmt::format("pod{}", i);
      add_pod(name, i);
      sandbox.serve(name, answering(name, 8080));
    }
  }

  void add_pod(const std::string& name, int number) {
    sandbox.ip("node", fmt::format("link add v{1} type veth peer name eth0 netns {0}\n"
                                   "addr add 10.88.{1}.1/24 dev v{1}\nlink set v{1} up\n",
                                   name, number));
    sandbox.ip(name, fmt::format("link set lo up\naddr add 10.88.{0}.2/24 dev eth0\n"
                                 "link set eth0 up\nroute add default via 10.88.{0}.1\n",
                                 number));
  }

  DatapathSettings settings() const {
    return {.node_name = "node",
            .bpffs = bpffs,
            .cgroup = sandbox.cgroup(),
            .node_addresses_be = {*parse_ipv4("10.88.9.1")},
            .service_range = *parse_ipv4_range("10.96.0.0/16")};
  }
  std::string as_client_in(const std::string& net_namespace,
                           const std::function<std::string()>& run) {
    return sandbox.as_client(net_namespace, sandbox.cgroup(), run);
  }
  std::string as_client(const std::function<std::string()>& run) {
    return as_client_in("client", run);
  }
};

}  // namespace keelson::proxy

// The node agent: everything between the API's word on this node's pods and the kernel's, put
// together.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/client.h"
#include "api/reflector.h"
#include "base/http_client.h"
#include "base/http_server.h"
#include "base/io_threads.h"
#include "isolation/cgroup.h"
#include "isolation/image_store.h"
#include "isolation/veth.h"
#include "nodeagent/event_writer.h"
#include "nodeagent/lease.h"
#include "nodeagent/node_reporter.h"
#include "nodeagent/node_routes.h"
#include "nodeagent/node_runtime.h"
#include "nodeagent/node_server.h"
#include "nodeagent/pods.h"
#include "nodeagent/references.h"

namespace keelson {

// Loop thread only; what it is handed outlives it.
class Agent {
 public:
  struct Options {
    NodeIdentity identity;
    Machine machine;
    NodeFolders folders;
    DnsSettings dns;
    std::string spawner_socket;
    std::string listen_address;  // of the HTTPS endpoint
    TlsContextPtr tls;           // its certificate, and who may speak to it
    Duration lease_duration = 40s;
    Limits limits;
  };
  struct Parts {
    SystemLoop& loop;
    IoThreads& threads;
    Random& random;
    Client& client;
    HttpClient& http;  // for probes
    isolation::CgroupTree& cgroups;
    isolation::ImageStore& images;
    isolation::Network& network;
    PodNetwork::Listener pod_links;  // who shortens the way of packets
    // What else the node must say of itself: a condition each ("DatapathDegraded").
    std::function<std::vector<NodeCheck>()> checks;
  };
  Agent(Parts parts, Options options);
  ~Agent();

  Result<> start();
  // Services come from whoever watches them for the datapath, too.
  void put_service(ObjectPtr service);
  void erase_service(std::string_view key, Revision revision);
  void checks_changed();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keelson

// What the handlers of requests have in hand.
#pragma once

#include <atomic>

#include "base/io_threads.h"
#include "base/limits.h"
#include "control/registry/registry.h"
#include "control/server/authorize.h"
#include "control/server/call.h"

namespace keelson {

class Documents;
class Health;
class NodeAgents;

// Made once by the Server, and outlived by every call. Handlers begin on an I/O thread; what asks
// the registry goes to the core, and what it answers goes back to be encoded.
struct Hands {
  SystemLoop& core;
  IoThreads& io;
  Registry& registry;  // the core's alone
  const Limits& limits;
  const Authorization& authorization;
  Documents& documents;
  Health& health;
  NodeAgents& nodes;
  std::atomic<std::size_t> turn = 0;

  SystemLoop& any_io_loop() { return io.loop(turn++ % io.size()); }
  WallTime wall() const { return core.clock().wall(); }
};

}  // namespace keelson

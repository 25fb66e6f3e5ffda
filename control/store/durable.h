// The durable half of the store: a log of revisions and what they leave. SQLite in a deployment
// (sqlite.h), etcd for high availability later, memory under simulation (tests/sim_disk.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/object.h"

namespace keelson {

struct Record {
  Revision revision = 0;
  Revision replaces = 0;             // the revision this key had before; 0: it is new
  std::string resource;              // "pods", "deployments.apps"
  std::string key;                   // "namespace/name"
  std::optional<std::string> bytes;  // the message; none: removed
};

// Called from the core's thread, answers there. Records arrive in the order of their revisions,
// each exactly once.
class Durable {
 public:
  using Done = std::move_only_function<void(Result<Revision>)>;  // durable up to this one
  virtual ~Durable() = default;

  // Every object as it is after the last durable revision, in order of revision, then that
  // revision. Before the first append. Error: what is on disk cannot be read; nothing was changed.
  virtual Result<Revision> load(const std::function<Result<>(Record)>& each) = 0;

  // Takes the records; `done` once they are all on disk, never from inside the call. One batch may
  // be in the air at a time: the store gathers the next meanwhile (group commit). An error is
  // final: what the batch said may or may not be on disk, and the process must end and load again.
  virtual void append(std::vector<Record> batch, Done done) = 0;

  // Bytes that may still be written before the reserve is touched. Cheap: one system call.
  virtual std::int64_t room_bytes() const = 0;
  // Where it writes, for messages to people: a folder.
  virtual std::string place() const = 0;
};

}  // namespace keelson

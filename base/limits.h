// Every bound of the program in one place, with its unit and its reason. The simulation draws
// unlucky values of these; a deployment may set them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace keelson {

struct Limits {
  // --- HTTP edge
  std::size_t request_body_bytes = 3 * 1024 * 1024;  // Kubernetes' own (MaxRequestBodyBytes)
  std::size_t request_header_bytes = 64 * 1024;      // a client certificate's worth and more
  int connections = 20'000;                          // an idle TLS connection is about 73 kB
  int requests_in_flight = 400;  // kube-apiserver's --max-requests-inflight; streams do not count
  Duration request_header_timeout = 32s;  // a client that opens and says nothing; TLS included
  Duration request_body_timeout = 60s;    // from the header to the last byte of the body
  Duration idle_timeout = 120s;  // between requests; longer than Go's clients keep theirs (90 s)
  Duration send_timeout = 60s;   // unsent bytes of which the peer takes not one
  std::size_t request_bodies_bytes =
      256 * 1024 * 1024;  // of all requests being received at once; beyond it 503
  std::size_t stream_buffer_bytes =
      1024 * 1024;  // unsent bytes of one watch or log before its reader must catch up
  std::size_t websocket_message_bytes = 1024 * 1024;  // received; kubectl sends at most 32 KiB

  // --- HTTP client
  std::size_t response_body_bytes = 64 * 1024 * 1024;  // a page of 500 objects of the largest size
                                                       // that are seen together
  int connections_per_peer = 16;        // for requests; streams and tunnels have their own
  Duration idle_connection_time = 60s;  // a pooled connection; shorter than servers keep theirs

  // --- documents
  int json_depth = 128;                // nesting that any decoder follows
  std::size_t json_values = 500'000;   // values of one document; each takes up to 100 bytes
  int json_patch_operations = 10'000;  // Kubernetes' own
  std::size_t object_bytes =
      1536 * 1024;  // etcd's 1.5 MiB, so that one store can be moved to the other
  std::size_t annotations_bytes = 256 * 1024;  // Kubernetes' own: all annotations of an object

  // --- store
  std::size_t history_events = 100'000;          // revisions a watch can go back to
  std::size_t history_bytes = 64 * 1024 * 1024;  // and what they may weigh
  std::size_t watch_backlog_events =
      8'192;  // events one watch may be behind: two full commits, then it is let go
  std::size_t watch_batch_events = 256;               // events handed to a watcher's thread at once
  std::size_t commit_batch_writes = 4'096;            // writes in one transaction of the log
  std::size_t commit_batch_bytes = 16 * 1024 * 1024;  // and what they may weigh
  std::size_t wal_bytes = 32 * 1024 * 1024;  // about where SQLite's log is copied back and reused
  std::size_t disk_reserve_bytes = 64 * 1024 * 1024;  // below this free space writes are refused
  int list_page_items = 10'000;                       // objects encoded in one turn of a list

  // --- names
  int generate_name_attempts = 8;    // Kubernetes' RetryGenerateName
  int update_conflict_attempts = 5;  // server-side retries of a patch without resourceVersion
};

}  // namespace keelson

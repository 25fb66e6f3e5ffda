// kubectl exec: a command in a container, its ends carried over a WebSocket in Kubernetes' channels
// (v5.channel.k8s.io, v4 without half-close; KUBECTL-WIRE §5).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/system_loop.h"
#include "isolation/spawner_client.h"

namespace keelson {

// Ours, in order of preference.
std::span<const std::string_view> exec_subprotocols();

// Our ends of the process's pipes, or its terminal.
struct ExecEnds {
  Fd stdin_end, stdout_end, stderr_end;  // empty: not asked for
  Fd terminal;
};

// Lives until the command and the client are done; all of it on one loop.
class ExecSession : public std::enable_shared_from_this<ExecSession> {
 public:
  // cancel: the client has gone, the command shall end. Called on the loop.
  ExecSession(SystemLoop& loop, std::unique_ptr<WebSocket> socket, Task cancel);

  void started(ExecEnds ends);
  void ended(const Result<isolation::ExitStatus>& status);  // also of a command that never started

 private:
  enum Channel : char { Stdin = 0, Stdout = 1, Stderr = 2, Status = 3, Resize = 4, Close = '\xff' };
  struct Output {
    Fd end;
    Channel channel = Stdout;
    Pending watch;
  };
  void read_socket();
  void take(std::string message);
  void feed_stdin();
  void resize(std::string_view json);
  void watch(Output& output);
  void drain(Output& output);
  void finish_if_done();
  void cut();

  SystemLoop& loop_;
  std::unique_ptr<WebSocket> socket_;  // null: over
  Task cancel_;
  Fd stdin_end_;
  bool is_terminal_ = false, waits_for_room_ = false, close_stdin_ = false;
  std::string to_stdin_;  // what the command has not taken yet
  Pending stdin_watch_;
  Output stdout_, stderr_;
  std::optional<std::string> status_;  // the last message, once the command has ended
};

}  // namespace keelson

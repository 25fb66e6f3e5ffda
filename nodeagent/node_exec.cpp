// Commands for probes and hooks: run to the end, their output gathered up to a bound.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "api/go_text.h"
#include "nodeagent/node_runtime.h"

namespace keelson {
namespace {

constexpr std::size_t output_bytes_max = 10 * 1024;  // kubelet's bound of a probe's output

// One command; whoever holds the Pending keeps it alive.
struct Command : std::enable_shared_from_this<Command> {
  Command(SystemLoop& l, isolation::SpawnerClient& s) : loop(l), spawner(s) {}

  void read() {
    char buffer[4096];
    ssize_t got;
    while ((got = ::read(output_end.get(), buffer, sizeof buffer)) > 0) {
      const std::size_t room = output_bytes_max - std::min(output.size(), output_bytes_max);
      output.append(buffer, std::min(static_cast<std::size_t>(got), room));
    }
    if (got == 0 || errno != EAGAIN) watch.reset();
  }

  void ended(Result<isolation::ExitStatus> status) {
    if (!done) return;
    if (watch) read();  // what came last
    watch.reset();
    auto told = std::exchange(done, {});
    if (!status) return told(std::unexpected(status.error()));
    told(ExecOutcome{.exit_code = status->exit_code, .output = to_utf8(output)});
  }

  SystemLoop& loop;
  isolation::SpawnerClient& spawner;
  Fd output_end;
  Pending watch;
  std::string output;
  std::uint64_t exec_id = 0;
  bool is_cancelled = false;
  PodRuntime::Done<ExecOutcome> done;
};

struct CancelCommand final : Pending::Cancel {
  explicit CancelCommand(std::shared_ptr<Command> c) : command(std::move(c)) {}
  ~CancelCommand() override {
    if (!command->done) return;
    command->done = {};
    command->watch.reset();
    command->is_cancelled = true;
    if (command->exec_id != 0) command->spawner.signal_exec(command->exec_id, SIGKILL);
  }
  std::shared_ptr<Command> command;
};

}  // namespace

Pending NodeRuntime::exec(const std::string& id, std::vector<std::string> command_line,
                          Done<ExecOutcome> done) {
  auto command = std::make_shared<Command>(loop_, *spawner_);
  command->done = std::move(done);
  Pending pending(std::make_unique<CancelCommand>(command));
  const auto container = find_container(id);
  int ends[2];
  if (!container || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    const Error error = container ? fail_errno(errno, "pipe").error() : container.error();
    loop_.post([command, error] { command->ended(std::unexpected(error)); });
    return pending;
  }
  command->output_end = Fd(ends[0]);
  Fd stdout_end(ends[1]);
  // The command's own end must block.
  ::fcntl(stdout_end.get(), F_SETFL, 0);
  Fd stderr_end(::fcntl(stdout_end.get(), F_DUPFD_CLOEXEC, 0));
  command->watch = loop_.on_readable(command->output_end.get(), [c = command.get()] { c->read(); });
  isolation::ExecSpec spec;
  spec.container_id = id;
  spec.argv = std::move(command_line);
  spec.cgroup = container->cgroup;
  spec.stdout_end = std::move(stdout_end);
  spec.stderr_end = std::move(stderr_end);
  spawner_->exec(
      std::move(spec),
      [command](Result<isolation::ExecStarted> started) {
        if (!started) return command->ended(std::unexpected(started.error()));
        command->exec_id = started->exec_id;
        if (command->is_cancelled) {
          command->spawner.signal_exec(command->exec_id, SIGKILL);
        }
      },
      [command](Result<isolation::ExitStatus> status) { command->ended(std::move(status)); });
  return pending;
}

}  // namespace keelson

// What the client knows of the spawner's containers and sandboxes, and its calls.
#include "isolation/spawner_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <set>

#include "isolation/container_impl.h"
#include "isolation/memfd.h"
#include "isolation/pidfd_exit.h"
#include "isolation/spawner_link.h"
#include "isolation/spec_writer.h"

namespace keelson::isolation {
namespace {

template <std::size_t size>
std::string text_in(const char (&field)[size]) {
  return {field, strnlen(field, size)};
}

template <std::size_t size>
bool put_text(char (&field)[size], const std::string& text) {
  if (text.size() >= size) return false;
  std::memcpy(field, text.c_str(), text.size() + 1);
  return true;
}

WallTime wall_time(std::int64_t since_1970_ns) {
  return WallTime(std::chrono::nanoseconds(since_1970_ns));
}

ExitStatus exit_status(int wait_status) {
  if ((wait_status & 0x7f) == 0) return {.exit_code = wait_status >> 8 & 0xff};
  const int signal = wait_status & 0x7f;
  return {.exit_code = 128 + signal, .signal = signal};
}

constexpr std::pair<Fd Sandbox::*, std::uint32_t> namespaces[] = {
    {&Sandbox::net_namespace, wire::holds_net},
    {&Sandbox::ipc_namespace, wire::holds_ipc},
    {&Sandbox::uts_namespace, wire::holds_uts}};

}  // namespace

struct SpawnerClient::Impl {
  const CgroupTree& cgroups;
  Listener listener;
  bool ready = false;
  std::map<std::string, ContainerState> containers = {};
  std::map<std::string, Fd> pidfds = {};  // of those that run
  std::map<std::string, SandboxState> sandboxes = {};
  std::map<std::string, Sandbox> held = {};  // our copies: a spawner may lose its own
  std::set<std::string> reported = {}, reported_sandboxes = {};  // since we connected
  std::map<std::uint64_t, Done<ExitStatus>> execs = {};          // that run
  // Starts whose answer was lost with the spawner: the next one says whether they came to be.
  struct Doubtful {
    PreparedContainer container;
    Done<ContainerState> done;
    Error error;
  };
  std::map<std::string, Doubtful> doubtful = {};
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  SpawnerLink link;  // last: its callbacks use the rest

  Impl(SystemLoop& loop, std::string socket_path, const CgroupTree& cgroup_tree,
       Listener client_listener)
      : cgroups(cgroup_tree),
        listener(std::move(client_listener)),
        link(loop, std::move(socket_path),
             {.connected =
                  [this] {
                    reported.clear();
                    reported_sandboxes.clear();
                  },
              .container = [this](const auto& message, auto& fds) { learn(message, fds); },
              .sandbox = [this](const auto& message, auto& fds) { learn(message, fds); },
              .exec_ended = [this](const auto& message) { exec_ended(message); },
              .ready = [this] { become_ready(); },
              .lost = [this](const Error& error) { lose(error); }}) {}

  // --- news

  void learn(const wire::ContainerMessage& message, LinkFds& fds) {
    ContainerState state{.id = text_in(message.id),
                         .sandbox_id = text_in(message.sandbox_id),
                         .label = text_in(message.label),
                         .pid = message.pid,
                         .started = wall_time(message.started_ns),
                         .finished = wall_time(message.finished_ns),
                         .lost_log_bytes = message.lost_log_bytes};
    if (message.exit == wire::Exit::Seen) state.exit = exit_status(message.wait_status);
    if (message.exit == wire::Exit::Unseen) state.exit = exit_nobody_saw(state.id);
    if (state.exit) {
      pidfds.erase(state.id);
    } else if (!fds.all.empty()) {
      pidfds.insert_or_assign(state.id, fds.take(0));
    }
    reported.insert(state.id);
    containers.insert_or_assign(state.id, state);
    if (ready) listener.changed(state);
  }

  // No spawner was there as it ended: our own pidfd may know (Linux 6.15).
  ExitStatus exit_nobody_saw(const std::string& id) {
    const auto pidfd = pidfds.find(id);
    int wait_status = 0;
    if (pidfd != pidfds.end() && exit_of_pidfd(pidfd->second.get(), &wait_status)) {
      return exit_status(wait_status);
    }
    return {.exit_code = 255, .known = false};
  }

  void learn(const wire::SandboxMessage& message, LinkFds& fds) {
    Sandbox sandbox{.id = text_in(message.id), .label = text_in(message.label)};
    std::size_t next = 0;
    for (const auto& [member, bit] : namespaces) {
      if ((message.holds & bit) != 0) sandbox.*member = fds.take(next++);
    }
    reported_sandboxes.insert(sandbox.id);
    remember(std::move(sandbox));
  }

  void remember(Sandbox sandbox) {
    const std::string id = sandbox.id;
    const int net = sandbox.net_namespace.get();
    sandboxes.insert_or_assign(id, SandboxState{id, sandbox.label, Fd(net < 0 ? -1 : ::dup(net))});
    held.insert_or_assign(id, std::move(sandbox));
  }

  void exec_ended(const wire::IdMessage& message) {
    const auto found = execs.find(message.exec_id);
    if (found == execs.end()) return;
    Done<ExitStatus> done = std::move(found->second);
    execs.erase(found);
    done(exit_status(message.number));
  }

  // All that stands has been told. What we know beyond that is gone, but for sandboxes whose
  // namespaces we still have.
  void become_ready() {
    std::erase_if(containers, [this](const auto& each) { return !reported.contains(each.first); });
    std::erase_if(pidfds, [this](const auto& each) { return !containers.contains(each.first); });
    for (const auto& [id, sandbox] : held) {
      if (!reported_sandboxes.contains(id)) send_sandbox(sandbox, [](auto, auto&) {});
    }
    ready = true;
    const std::weak_ptr<bool> weak = alive;
    settle_doubtful();
    if (!weak.expired()) listener.ready();
    if (weak.expired()) return;
    for (const auto& [id, state] : std::map(containers)) {
      if (!weak.expired() && ready) listener.changed(state);
    }
  }

  void settle_doubtful() {
    for (auto& [id, start] : std::exchange(doubtful, {})) {
      const auto found = containers.find(id);
      if (found == containers.end()) {
        start.done(std::unexpected(start.error));
      } else {
        start.container.impl().is_started = true;
        start.done(found->second);
      }
    }
  }

  void lose(const Error& error) {
    const bool was_ready = std::exchange(ready, false);
    const std::weak_ptr<bool> weak = alive;
    for (auto& [id, done] : std::exchange(execs, {})) done(std::unexpected(error));
    if (!weak.expired() && was_ready && listener.lost) listener.lost(error);
  }

  // --- calls

  void call_by_id(wire::Kind kind, const std::string& id, int number, Done<void> done) {
    wire::IdMessage message{};
    message.number = number;
    if (!put_text(message.id, id)) return refuse("id \"" + id + "\" is too long", std::move(done));
    link.call(kind, message, {}, [done = std::move(done)](auto reply, LinkFds&) mutable {
      done(reply ? Result<>() : std::unexpected(reply.error()));
    });
  }

  template <typename T>
  void refuse(std::string why, Done<T> done) {
    link.post([why = std::move(why), done = std::move(done)]() mutable {
      done(fail(Reason::Invalid, "{}", why));
    });
  }

  void send_sandbox(const Sandbox& sandbox, SpawnerLink::OnReply done) {
    wire::SandboxMessage message{};
    put_text(message.id, sandbox.id);
    put_text(message.label, sandbox.label);
    std::vector<int> fds;
    for (const auto& [member, bit] : namespaces) {
      if (!(sandbox.*member)) continue;
      message.holds |= bit;
      fds.push_back((sandbox.*member).get());
    }
    link.call(wire::Kind::HoldSandbox, message, fds, std::move(done));
  }

  void start(PreparedContainer container, Done<ContainerState> done) {
    auto& impl = container.impl();
    auto memory = sealed_memfd("keelson-container", impl.spec);
    if (!memory) return refuse(memory.error().message, std::move(done));
    std::vector<int> fds = {memory->get()};
    for (const auto& fd : impl.fds) fds.push_back(fd.get());
    link.call(wire::Kind::Start, wire::Head{}, fds,
              [this, container = std::move(container), done = std::move(done)](
                  Result<wire::Reply> reply, LinkFds& reply_fds) mutable {
                started(std::move(container), std::move(reply), reply_fds, std::move(done));
              });
  }

  void started(PreparedContainer container, Result<wire::Reply> reply, LinkFds& fds,
               Done<ContainerState> done) {
    const std::string id = container.id();
    if (!reply && reply.error().reason == Reason::ServiceUnavailable && ready) {
      doubtful.emplace(id, Doubtful{std::move(container), std::move(done), reply.error()});
      return;
    }
    if (!reply) {
      container = PreparedContainer(nullptr);  // undone before it is told
      return done(std::unexpected(reply.error()));
    }
    container.impl().is_started = true;
    if (!fds.all.empty()) pidfds.insert_or_assign(id, fds.take(0));
    const ContainerState state{.id = id,
                               .sandbox_id = container.impl().sandbox_id,
                               .label = container.impl().label,
                               .pid = reply->pid,
                               .started = wall_time(reply->started_ns)};
    containers.try_emplace(id, state);  // news of it follow
    done(state);
  }

  void exec(ExecSpec spec, Done<ExecStarted> started, Done<ExitStatus> ended) {
    std::vector<Fd> fds;
    const auto add = [&](Fd fd) -> std::int32_t {
      if (!fd) return -1;
      fds.push_back(std::move(fd));
      return static_cast<std::int32_t>(fds.size());
    };
    auto doors = cgroups.doors(spec.cgroup);
    if (!doors) return refuse(doors.error().message, std::move(started));
    const std::int32_t unified = add(std::move(doors->unified));
    std::vector<std::int32_t> tasks;
    for (auto& each : doors->tasks) tasks.push_back(add(std::move(each)));
    const std::int32_t stdio[3] = {add(std::move(spec.stdin_end)), add(std::move(spec.stdout_end)),
                                   add(std::move(spec.stderr_end))};
    auto memory =
        sealed_memfd("keelson-exec", write_spec<wire::ExecSpec>([&](auto& writer, auto& flat) {
                       flat.container_id = writer.text(spec.container_id);
                       flat.argv = writer.texts(spec.argv);
                       flat.terminal = spec.terminal ? 1 : 0;
                       flat.rows = spec.terminal.value_or(TerminalSize()).rows;
                       flat.columns = spec.terminal.value_or(TerminalSize()).columns;
                       std::memcpy(flat.stdio_fds, stdio, sizeof stdio);
                       flat.unified_fd = unified;
                       flat.tasks_fds = writer.list(tasks);
                     }));
    if (!memory) return refuse(memory.error().message, std::move(started));
    std::vector<int> numbers = {memory->get()};
    for (const auto& fd : fds) numbers.push_back(fd.get());
    link.call(wire::Kind::Exec, wire::Head{}, numbers,
              [this, started = std::move(started), ended = std::move(ended)](
                  Result<wire::Reply> reply, LinkFds& reply_fds) mutable {
                if (!reply) return started(std::unexpected(reply.error()));
                execs.emplace(reply->exec_id, std::move(ended));
                started(ExecStarted{reply->exec_id, reply_fds.take(0)});
              });
  }
};

SpawnerClient::SpawnerClient(SystemLoop& loop, std::string socket_path, const CgroupTree& cgroups,
                             Listener listener)
    : impl_(std::make_shared<Impl>(loop, std::move(socket_path), cgroups, std::move(listener))) {}
SpawnerClient::~SpawnerClient() = default;

bool SpawnerClient::is_ready() const {
  return impl_->ready;
}
const std::map<std::string, ContainerState>& SpawnerClient::containers() const {
  return impl_->containers;
}
const std::map<std::string, SandboxState>& SpawnerClient::sandboxes() const {
  return impl_->sandboxes;
}

void SpawnerClient::hold_sandbox(Sandbox sandbox, Done<void> done) {
  auto kept = std::make_shared<Sandbox>(std::move(sandbox));
  impl_->send_sandbox(
      *kept, [impl = impl_.get(), kept, done = std::move(done)](auto reply, LinkFds&) mutable {
        if (!reply) return done(std::unexpected(reply.error()));
        impl->remember(std::move(*kept));
        done({});
      });
}

void SpawnerClient::release_sandbox(const std::string& id, Done<void> done) {
  impl_->call_by_id(wire::Kind::ReleaseSandbox, id, 0,
                    [impl = impl_.get(), id, done = std::move(done)](Result<> released) mutable {
                      if (released) {
                        impl->held.erase(id);
                        impl->sandboxes.erase(id);
                      }
                      done(std::move(released));
                    });
}

void SpawnerClient::start(PreparedContainer container, Done<ContainerState> done) {
  impl_->start(std::move(container), std::move(done));
}

void SpawnerClient::signal(const std::string& id, int signal, Done<void> done) {
  impl_->call_by_id(wire::Kind::Signal, id, signal, std::move(done));
}

void SpawnerClient::forget(const std::string& id, Done<void> done) {
  impl_->call_by_id(wire::Kind::Forget, id, 0,
                    [impl = impl_.get(), id, done = std::move(done)](Result<> forgotten) mutable {
                      if (forgotten) impl->containers.erase(id);
                      done(std::move(forgotten));
                    });
}

void SpawnerClient::exec(ExecSpec spec, Done<ExecStarted> started, Done<ExitStatus> ended) {
  impl_->exec(std::move(spec), std::move(started), std::move(ended));
}

void SpawnerClient::signal_exec(std::uint64_t exec_id, int signal) {
  wire::IdMessage message{};
  message.exec_id = exec_id;
  message.number = signal;
  impl_->link.call(wire::Kind::SignalExec, message, {}, [](auto, auto&) {});
}

void SpawnerClient::attach(const std::string& id, Fd stdout_pipe, Fd stderr_pipe,
                           Done<Attached> done) {
  wire::IdMessage message{};
  if (!put_text(message.id, id)) return impl_->refuse("id is too long", std::move(done));
  std::vector<int> fds;
  if (!stdout_pipe && stderr_pipe) stdout_pipe = Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  for (const Fd* pipe : {&stdout_pipe, &stderr_pipe}) {
    if (*pipe) fds.push_back(pipe->get());
  }
  impl_->link.call(wire::Kind::Attach, message, fds,
                   [done = std::move(done)](Result<wire::Reply> reply, LinkFds& got) mutable {
                     if (!reply) return done(std::unexpected(reply.error()));
                     done(Attached{got.take(0), reply->is_terminal != 0});
                   });
}

void SpawnerClient::upgrade(Fd program, Done<void> done) {
  impl_->link.call(wire::Kind::Upgrade, wire::Head{}, {program.get()},
                   [done = std::move(done)](auto reply, LinkFds&) mutable {
                     done(reply ? Result<>() : std::unexpected(reply.error()));
                   });
}

void SpawnerClient::close_stdin(const std::string& id) {
  impl_->call_by_id(wire::Kind::CloseStdin, id, 0, [](auto) {});
}

}  // namespace keelson::isolation

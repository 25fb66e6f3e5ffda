// The worker's loop and its table of requests.
#include "isolation/spawner/worker.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "isolation/spawner/clients.h"
#include "isolation/spawner/complain.h"
#include "isolation/spawner/containers.h"
#include "isolation/spawner/core.h"
#include "isolation/spawner/execs.h"
#include "isolation/spawner/sandboxes.h"

namespace keelson::isolation {
namespace {

constexpr int resolve_again_ms = 20;  // how long an orphan's parent may take to reap it

struct Incoming {
  Asker asker;
  const unsigned char* bytes;
  FdBag& fds;

  const wire::IdMessage& id() const { return *reinterpret_cast<const wire::IdMessage*>(bytes); }
};

class Worker {
 public:
  explicit Worker(Core& core)
      : core_(core),
        clients_(core),
        containers_(core, clients_),
        execs_(core, clients_),
        sandboxes_(core, clients_, containers_) {}

  int run() {
    prctl(PR_SET_NAME, "keelson-spawner", 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_SETMASK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    core_.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (signals_ < 0 || core_.epoll < 0) return complain("epoll", -errno);
    core_.watch(signals_, Event::Signals, 0, EPOLLIN);
    int result = core_.pump.open(core_.places.state_folder, core_.places.log_root, core_.table);
    if (result < 0) return complain("the spool", result);
    containers_.adopt_all();
    sandboxes_.adopt_all();
    result = core_.watch(core_.places.listener, Event::Listener, 0, EPOLLIN);
    if (result < 0) return complain("the socket", result);
    for (;;) turn();
  }

 private:
  void turn() {
    epoll_event events[64];
    const int timeout_ms = containers_.has_unresolved() ? resolve_again_ms : -1;
    const int count = epoll_wait(core_.epoll, events, 64, timeout_ms);
    for (int i = 0; i < count; ++i) handle(events[i]);
    if (containers_.has_unresolved()) containers_.resolve_again();
    execs_.end_of_gone();
    clients_.tell_news();
  }

  void handle(const epoll_event& event) {
    const auto index = static_cast<int>(event.data.u64 & 0xffffffff);
    switch (static_cast<Event>(event.data.u64 >> 32)) {
      case Event::Listener:
        return clients_.accept_one();
      case Event::Signals:
        return reap();
      case Event::Client:
        if ((event.events & EPOLLOUT) != 0) clients_.writable(index);
        return serve(index);
      case Event::Output:
        return containers_.output_came(index, 1);
      case Event::Error:
        return containers_.output_came(index, 2);
      case Event::Terminal:
        return containers_.terminal_came(index);
      case Event::Report:
        return containers_.report_came(index);
      case Event::ExecReport:
        return execs_.report_came(index);
      case Event::Orphan:
        return containers_.orphan_ended(index);
    }
  }

  // How a child ended is noted before it is reaped: killed in between, our successor or the keeper
  // finds the one or the other.
  void reap() {
    signalfd_siginfo drained{};
    while (read(signals_, &drained, sizeof drained) > 0) {
    }
    siginfo_t info{};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
      const int status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
      if (ContainerSlot* slot = find_process(core_.table, info.si_pid); slot != nullptr) {
        containers_.child_ended(*slot, status);
      } else {
        execs_.child_ended(info.si_pid, status);  // or an orphan of a container's, for whom we wait
      }
      waitpid(info.si_pid, nullptr, WNOHANG);
      info = {};
    }
  }

  void serve(int client) {
    alignas(8) unsigned char bytes[sizeof(wire::SandboxMessage)];
    FdBag fds;
    const long size = clients_.receive(client, bytes, sizeof bytes, fds);
    if (size <= 0) return;
    const auto* head = reinterpret_cast<const wire::Head*>(bytes);
    const Incoming incoming{clients_.asker(client, head->request), bytes, fds};
    if (size < static_cast<long>(sizeof *head) || head->version != wire::version ||
        !dispatch(*head, incoming, static_cast<std::size_t>(size))) {
      clients_.fail(incoming.asker, EPROTO, "a request of this version and size");
    }
  }

  // False: not a request, or not of its size.
  bool dispatch(const wire::Head& head, const Incoming& in, std::size_t size) {
    for (const Row& row : rows) {
      if (row.kind != head.kind || row.size != size) continue;
      // Names end within their field.
      if (size == sizeof(wire::IdMessage) && in.id().id[wire::id_size - 1] != 0) return false;
      (this->*row.serve)(in);
      return true;
    }
    return false;
  }

  void subscribe(const Incoming& in) { clients_.subscribe(in.asker.client); }
  void hold_sandbox(const Incoming& in) {
    sandboxes_.hold(in.asker, *reinterpret_cast<const wire::SandboxMessage*>(in.bytes), in.fds);
  }
  void release_sandbox(const Incoming& in) { sandboxes_.release(in.asker, in.id()); }
  void start(const Incoming& in) { containers_.start(in.asker, in.fds); }
  void signal(const Incoming& in) { containers_.signal(in.asker, in.id()); }
  void forget(const Incoming& in) { containers_.forget(in.asker, in.id()); }
  void exec(const Incoming& in) { execs_.start(in.asker, in.fds); }
  void signal_exec(const Incoming& in) { execs_.signal(in.asker, in.id()); }
  void attach(const Incoming& in) { containers_.attach(in.asker, in.id(), in.fds); }
  void close_stdin(const Incoming& in) { containers_.close_stdin(in.asker, in.id()); }
  void upgrade(const Incoming& in) {
    const int program = in.fds.at(0);
    if (program < 0) return clients_.fail(in.asker, EINVAL, "a program");
    clients_.reply(in.asker, {});
    const KeeperMessage message{KeeperMessage::Kind::Upgrade, Held::Pidfd, 0};
    send_message(core_.link, &message, sizeof message, &program, 1);
  }

  struct Row {
    wire::Kind kind;
    std::size_t size;
    void (Worker::*serve)(const Incoming&);
  };
  static const Row rows[11];

  Core& core_;
  Clients clients_;
  Containers containers_;
  Execs execs_;
  Sandboxes sandboxes_;
  int signals_ = -1;
};

const Worker::Row Worker::rows[11] = {
    {wire::Kind::Subscribe, sizeof(wire::Head), &Worker::subscribe},
    {wire::Kind::HoldSandbox, sizeof(wire::SandboxMessage), &Worker::hold_sandbox},
    {wire::Kind::ReleaseSandbox, sizeof(wire::IdMessage), &Worker::release_sandbox},
    {wire::Kind::Start, sizeof(wire::Head), &Worker::start},
    {wire::Kind::Signal, sizeof(wire::IdMessage), &Worker::signal},
    {wire::Kind::Forget, sizeof(wire::IdMessage), &Worker::forget},
    {wire::Kind::Exec, sizeof(wire::Head), &Worker::exec},
    {wire::Kind::SignalExec, sizeof(wire::IdMessage), &Worker::signal_exec},
    {wire::Kind::Attach, sizeof(wire::IdMessage), &Worker::attach},
    {wire::Kind::CloseStdin, sizeof(wire::IdMessage), &Worker::close_stdin},
    {wire::Kind::Upgrade, sizeof(wire::Head), &Worker::upgrade},
};

}  // namespace

int run_worker(const Places& places, Table& table, FdStore& store, int link) {
  static Core core{places, table, store, linux_kernel(), link};
  static Worker worker(core);
  return worker.run();
}

}  // namespace keelson::isolation

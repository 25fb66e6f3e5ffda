// The keeper: start, watch, start again.
#include "isolation/spawner/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "isolation/fd_message.h"
#include "isolation/spawner/complain.h"
#include "isolation/spawner/places.h"
#include "isolation/spawner/resume.h"
#include "isolation/spawner/worker.h"

namespace keelson::isolation {

FdStore::FdStore() {
  memset(container_fds, 0xff, sizeof container_fds);
  memset(sandbox_fds, 0xff, sizeof sandbox_fds);
}

int& FdStore::at(Held what, int slot) {
  const int number = static_cast<int>(what);
  return number < held_by_container ? container_fds[slot][number]
                                    : sandbox_fds[slot][number - held_by_container];
}

namespace {

constexpr int restart_ms_first = 5, restart_ms_most = 100;
constexpr std::int64_t steady_ns = 1'000'000'000;  // a worker that lived so long was well

bool is_valid(const KeeperMessage& message) {
  if (message.what > Held::Uts || message.slot < 0) return false;
  return message.slot < (static_cast<int>(message.what) < held_by_container ? wire::containers_max
                                                                            : wire::sandboxes_max);
}

class Keeper {
 public:
  Keeper(Places& places, Table& table, FdStore& store, char** argv)
      : places_(places), table_(table), store_(store), argv_(argv) {}

  int run() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) return complain("signalfd", -errno);
    while (!ended_) {
      reap();
      if (worker_ < 0 && !start_worker()) return 1;
      wait();
    }
    if (worker_ > 0) kill(worker_, SIGKILL);
    return 0;
  }

 private:
  void wait() {
    pollfd ends[2] = {{signals_, POLLIN, 0}, {link_, POLLIN, 0}};
    poll(ends, 2, -1);
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD) ended_ = true;
    }
    if ((ends[1].revents & POLLIN) != 0) take_messages();
  }

  // Notes how it ended before the kernel forgets it: killed in between, we do so again.
  void reap() {
    siginfo_t info{};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
      const int pid = info.si_pid;
      if (pid == worker_) {
        take_messages();  // its last words
        close(link_);
        link_ = worker_ = -1;
      } else if (ContainerSlot* slot = find_process(table_, pid); slot != nullptr) {
        note_exit(*slot, wire::Exit::Seen, wait_status(info), wall_ns());
      }
      waitpid(pid, nullptr, 0);
      info = {};
    }
  }

  static int wait_status(const siginfo_t& info) {
    return info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
  }

  bool start_worker() {
    back_off();
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
      complain("socketpair", -errno);
      return false;
    }
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      close(signals_);
      _exit(run_worker(places_, table_, store_, ends[1]));
    }
    close(ends[1]);
    link_ = ends[0];
    worker_ = pid;
    if (pid < 0) complain("fork", -errno);
    return pid > 0;
  }

  void back_off() {
    const std::int64_t now = wall_ns();
    const bool was_well = now - started_ns_ > steady_ns;
    restart_ms_ = was_well ? 0 : restart_ms_ == 0 ? restart_ms_first : restart_ms_ * 2;
    if (restart_ms_ > restart_ms_most) restart_ms_ = restart_ms_most;
    if (restart_ms_ > restart_ms_first) poll(nullptr, 0, restart_ms_);
    started_ns_ = now;
  }

  void take_messages() {
    KeeperMessage message{};
    ReceivedFds received;
    for (pollfd end{link_, POLLIN, 0}; poll(&end, 1, 0) == 1; end.fd = link_) {
      if ((end.revents & POLLIN) == 0) return;
      const long got = receive_message(link_, &message, sizeof message, received);
      if (got <= 0) return;
      if (got != sizeof message || !is_valid(message)) continue;
      take(message, received);
    }
  }

  void take(const KeeperMessage& message, ReceivedFds& received) {
    const bool brings_one = received.count == 1;
    if (message.kind == KeeperMessage::Kind::Upgrade) {
      if (brings_one) upgrade(received.fds[0]);
      return;
    }
    int& held = store_.at(message.what, message.slot);
    if (held >= 0) close(held);
    held = message.kind == KeeperMessage::Kind::Hold && brings_one ? received.fds[0] : -1;
  }

  // The same process becomes another program: its children stay its children. Returns if that
  // program cannot be executed.
  void upgrade(int program) {
    kill(worker_, SIGKILL);
    waitpid(worker_, nullptr, 0);
    close(link_);
    worker_ = link_ = -1;
    complain("upgrade", exec_and_resume(program, places_, store_, argv_));
    close(program);
  }

  Places& places_;
  Table& table_;
  FdStore& store_;
  char** argv_;
  int signals_ = -1, link_ = -1, worker_ = -1;
  int restart_ms_ = 0;
  std::int64_t started_ns_ = 0;
  bool ended_ = false;
};

}  // namespace

int run_keeper(const Options& options, char** argv) {
  static FdStore store;
  static Places places;
  const char* what = "";
  int result = 0;
  if (options.resume >= 0) {
    what = "what the former program left";
    result = resume(options.resume, places, store);
  } else {
    result = open_places(options, places, &what);
    if (result == 0) result = slim_mounts(options, places, &what);
  }
  if (result < 0) return complain(what, result);
  // Nobody may look into us or what we are about to become, until it has executed its program.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_NAME, "keelson-keeper", 0, 0, 0);
  int error_number = 0;
  Table* table = map_table(places.state_folder, "table", &error_number);
  if (table == nullptr) return complain("the table", -error_number);
  return Keeper(places, *table, store, argv).run();
}

}  // namespace keelson::isolation

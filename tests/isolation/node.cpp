// The test node: see node.h.
#include "tests/isolation/node.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "isolation/cgroup_delegate.h"
#include "isolation/cgroup_files.h"
#include "isolation/cgroup_mounts.h"

namespace keelson::isolation {
namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string name = "/tmp/keelson-test-" + std::to_string(getpid()) + "-XXXXXX";
  path_ = mkdtemp(name.data());
}

TempFolder::~TempFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

namespace {

std::string new_cgroup_root() {
  static int count = 0;
  return "keelson-test-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

// On a pure v2 machine: a part of it of our own, once a process.
void own_cgroup2() {
  static bool done = false;
  auto hierarchies = cgroup_hierarchies();
  if (done || !hierarchies || hierarchies->size() != 1 || !hierarchies->front().is_v2) return;
  done = true;
  if (exists(hierarchies->front().mount + "/cgroup.events")) return;
  const std::string folder = hierarchies->front().mount + "/keelson-test";
  (void)delegate_cgroup(folder);
  (void)enter_cgroup(folder);
}

CgroupTree open_cgroups(const std::string& root) {
  own_cgroup2();
  auto tree = CgroupTree::open(root);
  if (!tree) {
    std::cerr << tree.error().message << "\n";
    abort();
  }
  return std::move(*tree);
}

// busybox with a link for each of its programs, made once a process. Nobody writes to it.
const std::string& busybox_layer() {
  static const TempFolder folder;
  static const std::string layer = folder / "layer";
  if (exists(layer)) return layer;
  for (const char* name : {"bin", "etc", "tmp", "root"}) fs::create_directories(layer + "/" + name);
  fs::permissions(layer + "/tmp", fs::perms(01777));
  fs::copy_file("/bin/busybox", layer + "/bin/busybox");
  std::istringstream applets(
      "sh echo cat ls sleep id pwd env true false mount kill stat ps test head tail seq grep mkdir "
      "rm ln touch hostname ip nc wget wc dd mknod chmod chown readlink stty tty umount unshare "
      "nsenter sed awk cut find sync yes usleep printf chroot su tr sort uname date expr tee "
      "setsid ping mv cp");
  for (std::string applet; applets >> applet;) {
    fs::create_symlink("busybox", layer + "/bin/" + applet);
  }
  fs::copy_file(PROBE, layer + "/bin/probe");
  fs::permissions(layer + "/bin/probe", fs::perms(0755));
  write_text(layer + "/etc/passwd",
             "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n"
             "nobody:x:65534:65534:nobody:/:/bin/false\n");
  write_text(layer + "/etc/group", "root:x:0:\nwww:x:33:app,other\nvideo:x:44:app\nstaff:x:50:\n");
  return layer;
}

std::string without_times(const std::string& log) {
  std::istringstream lines(log);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    text += line.substr(std::min(line.size(), line.find(' ') + 1)) + "\n";
  }
  return text;
}

// Full and partial lines put together again.
std::string lines_of(const std::string& log) {
  std::istringstream lines(without_times(log));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 9) continue;
    text += line.substr(9);
    if (line[7] == 'F') text += '\n';
  }
  return text;
}

}  // namespace

namespace {

bool is_alive(int pid) {
  return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

// What a test program that was killed has left: its name has its pid.
void remove_leftovers() {
  const std::string prefix = "keelson-test-";
  const auto is_left = [&](const std::string& name) {
    return name.starts_with(prefix) && !is_alive(std::atoi(name.c_str() + prefix.size()));
  };
  std::error_code error;
  for (const auto& each : fs::directory_iterator("/proc", error)) {
    const std::string line = read_text(each.path() / "cmdline");
    const auto at = line.find("/tmp/" + prefix);
    if (at == std::string::npos || !line.starts_with("keelson-spawner")) continue;
    if (is_left(line.substr(at + 5))) kill(std::atoi(each.path().filename().c_str()), SIGKILL);
  }
  for (const auto& hierarchy : cgroup_hierarchies().value_or(std::vector<CgroupHierarchy>())) {
    for (const auto& each : fs::directory_iterator(hierarchy.mount, error)) {
      if (!is_left(each.path().filename())) continue;
      if (hierarchy.is_v2) (void)kill_by_file(each.path());
      for (int i = 0; i < 100 && !remove_folders(each.path()); ++i) usleep(2000);
    }
  }
  std::istringstream mounts(read_text("/proc/self/mounts"));
  for (std::string source, place, rest; mounts >> source >> place && std::getline(mounts, rest);) {
    if (place.starts_with("/tmp/") && is_left(place.substr(5))) {
      umount2(place.c_str(), MNT_DETACH);
    }
  }
  for (const auto& each : fs::directory_iterator("/tmp", error)) {
    if (is_left(each.path().filename())) fs::remove_all(each.path(), error);
  }
}

}  // namespace

bool can_run_containers() {
  static const bool can = [] {
    remove_leftovers();
    if (geteuid() == 0 && exists("/bin/busybox")) return true;
    std::cout << "skipped: needs root and busybox-static\n";
    return false;
  }();
  return can;
}

TestNode::TestNode()
    : cgroup_root(new_cgroup_root()), cgroups(open_cgroups(cgroup_root)), layer_(busybox_layer()) {
  options = {.socket_path = folder / "spawner.sock",
             .state_folder = folder / "state",
             .log_root = folder / "logs"};
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  fs::create_directories(options.log_root);
  // The state folder is a tmpfs, as /run is.
  fs::create_directories(folder / "run");
  (void)mount("run", (folder / "run").c_str(), "tmpfs", 0, "size=64m");
  options.state_folder = folder / "run/state";
  start_spawner();
  new_client();
}

TestNode::~TestNode() {
  if (client_ == nullptr || !client_->is_ready()) {
    if (keeper_pid_ == 0) start_spawner();
    new_client();
  }
  for (const auto& id : started_) remove(id);
  for (const auto& id : sandboxes_) (void)release_sandbox(id);
  client_.reset();
  (void)cgroups.kill_all("");
  const int worker = worker_pid();
  if (keeper_pid_ > 0) {
    kill(keeper_pid_, SIGTERM);
    waitpid(keeper_pid_, nullptr, 0);
  }
  if (worker > 0) kill(worker, SIGKILL);
  for (int i = 0; i < 500 && !cgroups.remove(""); ++i) usleep(2000);
  for (const auto& id : sandboxes_) (void)remove_sandbox_folder(folder / ("sandbox-" + id));
  if (getenv("KEEP_ERR")) std::cerr << read_text(folder / "spawner.err");
  umount2((folder / "run").c_str(), MNT_DETACH);
}

void TestNode::start_spawner() {
  keeper_pid_ = fork();
  if (keeper_pid_ == 0) {
    const int words = open((folder / "spawner.err").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    for (const int end : {STDOUT_FILENO, STDERR_FILENO}) dup2(words, end);
    (void)exec_spawner(options);
    _exit(1);
  }
  for (int i = 0; i < 2000 && !exists(options.socket_path); ++i) usleep(1000);
}

int TestNode::worker_pid() const {
  const std::string path =
      "/proc/" + std::to_string(keeper_pid_) + "/task/" + std::to_string(keeper_pid_) + "/children";
  std::istringstream children(read_text(path));
  for (int pid = 0; children >> pid;) {
    if (read_text("/proc/" + std::to_string(pid) + "/comm") == "keelson-spawner\n") return pid;
  }
  return 0;
}

void TestNode::kill_spawner() {
  int worker = 0;
  for (int i = 0; i < 2000 && (worker = worker_pid()) == 0; ++i) usleep(1000);
  kill(worker, SIGKILL);
}

void TestNode::kill_whole_spawner() {
  const int worker = worker_pid();
  kill(keeper_pid_, SIGKILL);
  if (worker > 0) kill(worker, SIGKILL);
  waitpid(keeper_pid_, nullptr, 0);
  keeper_pid_ = 0;
  unlink(options.socket_path.c_str());
}

void TestNode::new_client() {
  client_.reset();
  client_ = std::make_unique<SpawnerClient>(
      loop, options.socket_path, cgroups,
      SpawnerClient::Listener{.ready = [] {},
                              .changed = [this](const auto& state) { changes.push_back(state); },
                              .lost = [this](const Error&) { ++losses; }});
  (void)wait_for([&] { return client_->is_ready(); });
}

// Orphans of a spawner that was killed are ours, as they are lab-init's or systemd's elsewhere.
void TestNode::reap_orphans() const {
  siginfo_t info{};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
         info.si_pid != keeper_pid_) {
    waitpid(info.si_pid, nullptr, 0);
    info = {};
  }
}

bool TestNode::wait_for(const std::function<bool()>& is_so, Duration most) {
  const Instant deadline = loop.clock().now() + most;
  while (!is_so()) {
    const auto left = deadline - loop.clock().now();
    if (left <= 0ns) return false;
    reap_orphans();
    loop.io().restart();
    loop.io().run_one_for(std::min<Duration>(left, 20ms));
  }
  return true;
}

template <typename T>
Result<T> TestNode::await(const std::function<void(SpawnerClient::Done<T>)>& call) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  call([answer](Result<T> result) { answer->emplace(std::move(result)); });
  if (!wait_for([&] { return answer->has_value(); })) {
    return fail(Reason::Timeout, "no answer from the spawner");
  }
  return std::move(**answer);
}

Result<> TestNode::add_sandbox(const std::string& id, bool own_network) {
  auto sandbox = make_sandbox({.id = id,
                               .label = "label of " + id,
                               .hostname = "host-" + id,
                               .node_network = !own_network,
                               .folder = folder / ("sandbox-" + id)});
  if (!sandbox) return std::unexpected(sandbox.error());
  sandboxes_.push_back(id);
  return await<void>(
      [&](auto done) { client_->hold_sandbox(std::move(*sandbox), std::move(done)); });
}

ContainerSpec TestNode::shell(const std::string& id, const std::string& script) {
  return {.id = id,
          .sandbox_id = "box",
          .sandbox_folder = folder / "sandbox-box",
          .label = "label of " + id,
          .process = {.argv = {"sh", "-c", script}},
          .rootfs = {.layers = {layer_}, .writable_folder = writable_folder(id)},
          .cgroup = id,
          .log = {.path = id + ".log"}};
}

Result<ContainerState> TestNode::start(const ContainerSpec& spec) {
  if (!client_->sandboxes().contains(spec.sandbox_id)) {
    auto added = add_sandbox(spec.sandbox_id);
    if (!added) return std::unexpected(added.error());
  }
  auto prepared = prepare_container(spec, cgroups, seccomp);
  if (!prepared) return std::unexpected(prepared.error());
  started_.push_back(spec.id);
  return await<ContainerState>(
      [&](auto done) { client_->start(std::move(*prepared), std::move(done)); });
}

std::optional<ExitStatus> TestNode::wait_exit(const std::string& id, Duration most) {
  const auto exit = [&]() -> std::optional<ExitStatus> {
    const auto found = client_->containers().find(id);
    return found == client_->containers().end() ? std::nullopt : found->second.exit;
  };
  (void)wait_for([&] { return exit().has_value(); }, most);
  return exit();
}

TestNode::Ran TestNode::run(const ContainerSpec& spec) {
  Ran ran{.started = start(spec)};
  if (!ran.started) return ran;
  ran.exit = wait_exit(spec.id);
  ran.log = without_times(log_of(spec.id));
  ran.output = output_of(spec.id);
  return ran;
}

TestNode::Ran TestNode::run_shell(const std::string& script) {
  static int count = 0;
  return run(shell("sh-" + std::to_string(count++), script));
}

TestNode::Executed TestNode::exec(const std::string& id, std::vector<std::string> argv,
                                  std::optional<TerminalSize> terminal, const std::string& input) {
  int in[2], out[2];
  (void)!pipe2(in, O_CLOEXEC);
  (void)!pipe2(out, O_CLOEXEC);
  (void)!write(in[1], input.data(), input.size());
  close(in[1]);
  Fd reader(out[0]);
  ExecSpec spec{.container_id = id,
                .argv = std::move(argv),
                .cgroup = id,
                .terminal = terminal,
                .stdin_end = Fd(in[0]),
                .stdout_end = Fd(out[1]),
                .stderr_end = Fd(dup(out[1]))};
  auto ended = std::make_shared<std::optional<ExitStatus>>();
  Executed executed{.started = await<ExecStarted>([&](auto done) {
                      client_->exec(std::move(spec), std::move(done),
                                    [ended](Result<ExitStatus> status) {
                                      if (status) *ended = *status;
                                    });
                    })};
  if (!executed.started) return executed;
  const int from = terminal ? executed.started->terminal.get() : reader.get();
  fcntl(from, F_SETFL, O_NONBLOCK);
  const auto read_all = [&] {
    char bytes[4096];
    for (ssize_t got = 0; (got = read(from, bytes, sizeof bytes)) > 0;) {
      executed.output.append(bytes, static_cast<std::size_t>(got));
    }
  };
  (void)wait_for([&] {
    read_all();
    return ended->has_value();
  });
  read_all();
  executed.exit = *ended;
  return executed;
}

Result<> TestNode::signal(const std::string& id, int number) {
  return await<void>([&](auto done) { client_->signal(id, number, std::move(done)); });
}

Result<> TestNode::forget(const std::string& id) {
  return await<void>([&](auto done) { client_->forget(id, std::move(done)); });
}

Result<> TestNode::release_sandbox(const std::string& id) {
  return await<void>([&](auto done) { client_->release_sandbox(id, std::move(done)); });
}

void TestNode::remove(const std::string& id) {
  const auto found = client_->containers().find(id);
  if (found != client_->containers().end() && !found->second.exit) {
    (void)signal(id, SIGKILL);
    (void)wait_exit(id);
  }
  (void)forget(id);
  (void)remove_container_remains(writable_folder(id), id, cgroups);
}

std::string TestNode::log_of(const std::string& id) const {
  std::string log;
  const std::string path = options.log_root + "/" + id + ".log";
  for (int number = 20; number > 0; --number) log += read_text(path + "." + std::to_string(number));
  return log + read_text(path);
}

std::string TestNode::output_of(const std::string& id) const {
  return lines_of(log_of(id));
}

}  // namespace keelson::isolation

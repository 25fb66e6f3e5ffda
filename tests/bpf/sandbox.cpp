// Namespaces, a cgroup and processes for tests; nothing of them outlives the test program.
#include "tests/bpf/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace keelson::proxy {
namespace {

constexpr int answer_timeout_ms = 10'000;

[[noreturn]] void die(const std::string& what) {
  std::perror(what.c_str());
  std::abort();
}

void must(bool good, const std::string& what) {
  if (!good) die(what);
}

Fd open_namespace(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  must(static_cast<bool>(fd), path);
  return fd;
}

std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, folder, type;
    words >> device >> folder >> type;
    if (type == "cgroup2") return folder;
  }
  return {};
}

void write_file(const std::string& path, const std::string& text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  must(fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
       path);
}

// Folders of test programs that were killed: their name holds a pid that is nobody's.
void sweep(const std::string& root) {
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    int pid = 0;
    const std::string name = entry.path().filename();
    if (std::sscanf(name.c_str(), "keelson-test-%d-", &pid) != 1 || ::kill(pid, 0) == 0) continue;
    for (const auto& child : std::filesystem::directory_iterator(entry.path()))
      if (child.is_directory()) ::rmdir(child.path().c_str());
    ::rmdir(entry.path().c_str());
  }
}

std::string make_root_cgroup() {
  static int count = 0;  // of this program
  const std::string root = cgroup2_mount();
  sweep(root);
  const std::string path = fmt::format("{}/keelson-test-{}-{}", root, ::getpid(), ++count);
  must(::mkdir(path.c_str(), 0755) == 0, path);
  return path;
}

}  // namespace

bool cannot_test_programs() {
  if (::geteuid() != 0) {
    std::cout << "skipped: kernel programs need root\n";
    return true;
  }
  if (cgroup2_mount().empty()) {
    std::cout << "skipped: no cgroup2 file system is mounted\n";
    return true;
  }
  return false;
}

Sandbox::Sandbox() : cgroup_(make_root_cgroup()) {
  const Fd home_mounts = open_namespace("/proc/self/ns/mnt");
  const Fd home_net = open_namespace("/proc/self/ns/net");
  must(::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0, "unshare");
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
  // `ip netns` names its namespaces in /run/netns; these names are ours alone.
  must(::mount("run", "/run", "tmpfs", 0, nullptr) == 0, "mount /run");
  must(::mkdir("/run/bpf", 0700) == 0 && ::mkdir("/run/netns", 0700) == 0, "make folders");
  must(::mount("bpf", "/run/bpf", "bpf", 0, nullptr) == 0, "mount bpf");
  mounts_ = open_namespace("/proc/self/ns/mnt");
  net_ = open_namespace("/proc/self/ns/net");
  must(::setns(home_mounts.get(), CLONE_NEWNS) == 0, "come back");
  must(::setns(home_net.get(), CLONE_NEWNET) == 0, "come back");
}

std::string Sandbox::make_cgroup(const std::string& name) {
  child_cgroups_.push_back(cgroup_ + "/" + name);
  must(::mkdir(child_cgroups_.back().c_str(), 0755) == 0, child_cgroups_.back());
  return child_cgroups_.back();
}

std::string Sandbox::make_bpffs(const std::string& name) {
  const std::string path = "/run/bpf/" + name;
  inside("", [&] { must(::mkdir(path.c_str(), 0700) == 0, path); });
  return path;
}

Sandbox::~Sandbox() {
  for (const pid_t server : servers_) ::kill(server, SIGKILL);
  for (const pid_t server : servers_) ::waitpid(server, nullptr, 0);
  for (const auto& child : child_cgroups_) must(::rmdir(child.c_str()) == 0, child);
  must(::rmdir(cgroup_.c_str()) == 0, cgroup_);
}

void Sandbox::ip(const std::string& net_namespace, const std::string& batch) {
  const std::string where = net_namespace.empty() ? "" : "-n " + net_namespace;
  const Visit visit(*this, "");
  FILE* ip = ::popen(fmt::format("ip {} -batch - >&2", where).c_str(), "w");
  must(ip != nullptr && std::fputs(batch.c_str(), ip) >= 0, "ip");
  must(::pclose(ip) == 0, batch);
}

void Sandbox::sysctl(const std::string& net_namespace, const std::string& name,
                     const std::string& value) {
  inside(net_namespace, [&] { write_file("/proc/sys/net/ipv4/" + name, value); });
}

Sandbox::Visit::Visit(const Sandbox& sandbox, const std::string& net_namespace)
    : home_mounts_(open_namespace("/proc/self/ns/mnt")),
      home_net_(open_namespace("/proc/self/ns/net")) {
  must(::setns(sandbox.mounts_.get(), CLONE_NEWNS) == 0, "enter the sandbox");
  must(::setns(sandbox.net_.get(), CLONE_NEWNET) == 0, "enter the sandbox");
  if (net_namespace.empty()) return;
  const Fd there = open_namespace("/run/netns/" + net_namespace);
  must(::setns(there.get(), CLONE_NEWNET) == 0, net_namespace);
}

Sandbox::Visit::~Visit() {
  must(::setns(home_mounts_.get(), CLONE_NEWNS) == 0, "come back");
  must(::setns(home_net_.get(), CLONE_NEWNET) == 0, "come back");
}

pid_t Sandbox::start(const std::string& net_namespace, const std::string& cgroup,
                     const std::function<void()>& run) {
  std::cout.flush();
  const pid_t pid = ::fork();
  must(pid >= 0, "fork");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A socket belongs to the cgroup it was made in: join first.
  if (!cgroup.empty()) write_file(cgroup + "/cgroup.procs", "0");
  const Visit visit(*this, net_namespace);
  run();
  ::_exit(0);
}

std::string Sandbox::read_answer(int pipe, pid_t pid) {
  std::string answer;
  for (char buffer[4096];;) {
    pollfd wait{.fd = pipe, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, answer_timeout_ms) != 1) {
      ::kill(pid, SIGKILL);
      answer = "no answer";
      break;
    }
    const ssize_t length = ::read(pipe, buffer, sizeof(buffer));
    if (length <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(length));
  }
  ::waitpid(pid, nullptr, 0);
  return answer;
}

std::string Sandbox::as_client(const std::string& net_namespace, const std::string& cgroup,
                               const std::function<std::string()>& run) {
  return meanwhile(
      net_namespace, cgroup, [&](const std::function<bool()>&) { return run(); }, [] {});
}

std::string Sandbox::meanwhile(const std::string& net_namespace, const std::string& cgroup,
                               const std::function<std::string(const std::function<bool()>&)>& run,
                               const std::function<void()>& change) {
  int answer_ends[2], ready_ends[2], stop_ends[2];
  for (auto* ends : {answer_ends, ready_ends, stop_ends})
    must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  Fd answer_in(answer_ends[0]), answer_out(answer_ends[1]);
  Fd ready_in(ready_ends[0]), ready_out(ready_ends[1]);
  Fd stop_in(stop_ends[0]), stop_out(stop_ends[1]);
  const pid_t pid = start(net_namespace, cgroup, [&] {
    stop_out = Fd();
    const std::string answer = run([&] {  // until the other end is closed
      ready_out = Fd();
      pollfd wait{.fd = stop_in.get(), .events = POLLIN, .revents = 0};
      return ::poll(&wait, 1, 0) == 0;
    });
    must(::write(answer_out.get(), answer.data(), answer.size()) >= 0, "answer");
  });
  answer_out = Fd();
  ready_out = Fd();
  char nothing = 0;
  (void)!::read(ready_in.get(), &nothing, 1);  // it asked, or ended without
  change();
  stop_out = Fd();
  return read_answer(answer_in.get(), pid);
}

void Sandbox::serve(const std::string& net_namespace,
                    const std::function<void(const std::function<void()>& ready)>& run) {
  int ends[2];
  must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  Fd read_end(ends[0]), write_end(ends[1]);
  servers_.push_back(start(net_namespace, "", [&] {
    run([&] { must(::write(write_end.get(), "r", 1) == 1, "ready"); });
  }));
  write_end = Fd();
  char ready = 0;
  must(::read(read_end.get(), &ready, 1) == 1, "a server in " + net_namespace);
}

}  // namespace keelson::proxy

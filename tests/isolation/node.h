// A node for tests: folders, a cgroup root, a spawner of its own, and calls that wait. All of it is
// gone after it, whatever happened.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/system_loop.h"
#include "isolation/cgroup.h"
#include "isolation/container.h"
#include "isolation/launch.h"
#include "isolation/spawner_client.h"

namespace keelson::isolation {

// A folder below /tmp, removed with all in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);  // "" if it is not there
bool exists(const std::string& path);

// Did the machine let us be root with what these tests need? Else says why, once.
bool can_run_containers();

class TestNode {
 public:
  TestNode();
  ~TestNode();
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  TempFolder folder;
  SystemLoop loop;
  std::string cgroup_root;
  CgroupTree cgroups;
  SeccompCache seccomp;
  SpawnerOptions options;
  std::vector<ContainerState> changes;  // as the client told them
  int losses = 0;                       // of the spawner, as the client told them

  void start_spawner();
  void kill_spawner();        // the worker: the keeper starts another
  void kill_whole_spawner();  // both
  int keeper_pid() const { return keeper_pid_; }
  int worker_pid() const;  // 0: none right now
  SpawnerClient& client() { return *client_; }
  void new_client();  // as a restarted agent
  void drop_client() { client_.reset(); }

  // Runs the loop until it is so; false after the time.
  bool wait_for(const std::function<bool()>& is_so, Duration most = 10s);

  // A sandbox on the node's network unless said otherwise.
  Result<> add_sandbox(const std::string& id, bool own_network = false);
  // busybox as the image's only layer; `sh -c SCRIPT`, sandbox "box".
  ContainerSpec shell(const std::string& id, const std::string& script);
  Result<ContainerState> start(const ContainerSpec& spec);
  std::optional<ExitStatus> wait_exit(const std::string& id, Duration most = 10s);
  // start, wait_exit, log.
  struct Ran {
    Result<ContainerState> started;
    std::optional<ExitStatus> exit;
    std::string log;     // without times: "stdout F hello\n"
    std::string output;  // the lines of both streams alone
  };
  Ran run(const ContainerSpec& spec);
  Ran run_shell(const std::string& script);

  struct Executed {
    Result<ExecStarted> started;
    std::optional<ExitStatus> exit;
    std::string output;
  };
  Executed exec(const std::string& id, std::vector<std::string> argv,
                std::optional<TerminalSize> terminal = {}, const std::string& input = {});
  Result<> signal(const std::string& id, int number);
  Result<> forget(const std::string& id);
  Result<> release_sandbox(const std::string& id);
  void remove(const std::string& id);  // kill, wait, forget, remains

  std::string log_of(const std::string& id) const;     // as it lies there, rotated files included
  std::string output_of(const std::string& id) const;  // its lines alone, in order
  std::string writable_folder(const std::string& id) const { return folder / ("rw-" + id); }
  const std::string& layer() const { return layer_; }

 private:
  void reap_orphans() const;
  template <typename T>
  Result<T> await(const std::function<void(SpawnerClient::Done<T>)>& call);

  std::string layer_;
  int keeper_pid_ = 0;
  std::unique_ptr<SpawnerClient> client_;
  std::vector<std::string> started_, sandboxes_;
};

}  // namespace keelson::isolation

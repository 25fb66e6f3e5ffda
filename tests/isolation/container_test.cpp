// Containers on the real kernel: they start, are what was asked for, write logs, end.
#include "isolation/container.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {
namespace fs = std::filesystem;

TEST_GROUP(Container) {
  std::unique_ptr<TestNode> node;
  void setup() override {
    if (can_run_containers()) node = std::make_unique<TestNode>();
  }
  void teardown() override {
    node.reset();
  }

  void output_is(const std::string& output, const TestNode::Ran& ran) {
    CHECK_TEXT(ran.started, ran.started ? "" : ran.started.error().message.c_str());
    STRCMP_EQUAL(output.c_str(), ran.output.c_str());
  }
};

TEST(Container, runs_writes_its_log_and_ends) {
  if (node == nullptr) return;
  const auto ran = node->run_shell("echo hello; echo oops >&2; exit 7");
  CHECK_TEXT(ran.started, ran.started ? "" : ran.started.error().message.c_str());
  CHECK(ran.exit.has_value());
  LONGS_EQUAL(7, ran.exit->exit_code);
  LONGS_EQUAL(0, ran.exit->signal);
  STRCMP_EQUAL("stdout F hello\nstderr F oops\n", ran.log.c_str());
}

TEST(Container, tells_the_signal_that_ended_it) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  CHECK(node->signal("c", SIGKILL).has_value());
  const auto exit = node->wait_exit("c");
  CHECK(exit.has_value());
  LONGS_EQUAL(137, exit->exit_code);
  LONGS_EQUAL(SIGKILL, exit->signal);
}

TEST(Container, a_signal_it_handles_is_its_own_business) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c",
                                "trap 'echo bye; exit 3' TERM; echo up; "
                                "while :; do sleep 0.01; done"))
            .has_value());
  CHECK(node->wait_for([&] { return node->output_of("c") == "up\n"; }));
  CHECK(node->signal("c", SIGTERM).has_value());
  LONGS_EQUAL(3, node->wait_exit("c")->exit_code);
  STRCMP_EQUAL("up\nbye\n", node->output_of("c").c_str());
}

TEST(Container, is_alone_with_its_processes_mounts_and_names) {
  if (node == nullptr) return;
  output_is("1\nhost-box\n/\n", node->run_shell("echo $$; hostname; pwd"));
  output_is("ok\n", node->run_shell("[ $(ls -d /proc/[0-9]* | wc -l) -le 4 ] && echo ok"));
  // Nothing of the node is to be seen among its mounts.
  const auto ran =
      node->run_shell("grep -v ' / / ' /proc/self/mountinfo | grep -c -e keelson -e vda");
  output_is("0\n", ran);
}

TEST(Container, gets_the_environment_and_what_runtimes_add) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "env | grep -v -e SHLVL -e PWD");
  spec.process.env = {"A=1", "B=two words"};
  output_is(
      "A=1\nB=two words\nHOME=/root\n"
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
      [&] {
        spec.process.argv[2] += " | sort";
        return node->run(spec);
      }());
}

TEST(Container, takes_large_environments) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "echo ${#BIG} ${#V999}");
  spec.process.env = {"BIG=" + std::string(120'000, 'x')};
  for (int i = 0; i < 1000; ++i) {
    spec.process.env.push_back("V" + std::to_string(i) + "=" + std::string(1000, 'y'));
  }
  output_is("120000 1000\n", node->run(spec));
}

TEST(Container, works_in_its_folder_made_if_missing) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "pwd; ls -ld . | cut -c1-10");
  spec.process.working_directory = "/srv/deep/er";
  output_is("/srv/deep/er\ndrwxr-xr-x\n", node->run(spec));
}

TEST(Container, runs_as_the_user_of_image_or_spec) {
  if (node == nullptr) return;
  struct Case {
    UserSpec user;
    const char* id;
    const char* home;
  };
  const Case cases[] = {
      {{}, "uid=0(root) gid=0(root) groups=0(root)", "/root"},
      {{.image_user = "app"}, "uid=1000(app) gid=1001 groups=33(www),44(video),1001", "/home/app"},
      {{.image_user = "1000"}, "uid=1000(app) gid=1001 groups=33(www),44(video),1001", "/home/app"},
      {{.image_user = "app:staff"},
       "uid=1000(app) gid=50(staff) groups=33(www),44(video),50(staff)",
       "/home/app"},
      {{.image_user = "5:6"}, "uid=5 gid=6 groups=6", "/"},
      {{.image_user = "app", .uid = 7}, "uid=7 gid=0(root) groups=0(root)", "/"},
      {{.uid = 1000, .gid = 9, .groups = {100, 101}},
       "uid=1000(app) gid=9 groups=9,33(www),44(video),100,101",
       "/home/app"}};
  int count = 0;
  for (const auto& c : cases) {
    auto spec = node->shell("u" + std::to_string(count++), "id; echo $HOME");
    spec.process.user = c.user;
    output_is(std::string(c.id) + "\n" + c.home + "\n", node->run(spec));
  }
}

TEST(Container, an_unknown_user_is_refused_before_anything_starts) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "id");
  spec.process.user.image_user = "nobody-here";
  const auto ran = node->run(spec);
  CHECK(!ran.started);
  CHECK(ran.started.error().reason == Reason::Invalid);
  STRCMP_EQUAL(
      "prepare container c: unable to find user nobody-here: no matching entries in passwd file",
      ran.started.error().message.c_str());
  CHECK(!exists(node->writable_folder("c")));
}

TEST(Container, mounts_volumes_as_asked) {
  if (node == nullptr) return;
  fs::create_directories(node->folder / "volume/sub");
  write_text(node->folder / "volume/f", "content\n");
  write_text(node->folder / "hosts", "127.0.0.1 localhost\n");
  auto spec = node->shell("c",
                          "cat /data/f /etc/hosts; echo new > /data/g && echo written; "
                          "echo x > /ro/f || echo refused; ls /data/nested");
  spec.mounts = {{.source = node->folder / "volume/sub", .destination = "/data/nested"},
                 {.source = node->folder / "volume", .destination = "/data"},
                 {.source = node->folder / "volume", .destination = "/ro", .read_only = true},
                 {.source = node->folder / "hosts", .destination = "/etc/hosts"}};
  const auto ran = node->run(spec);
  STRCMP_CONTAINS("content\n127.0.0.1 localhost\nwritten\n", ran.output.c_str());
  STRCMP_CONTAINS("Read-only file system", ran.output.c_str());
  STRCMP_CONTAINS("refused\n", ran.output.c_str());
  STRCMP_EQUAL("new\n", read_text(node->folder / "volume/g").c_str());
}

TEST(Container, a_missing_volume_is_said_by_its_paths) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "true");
  spec.mounts = {{.source = "/no/such/folder", .destination = "/data"}};
  const auto ran = node->run(spec);
  STRCMP_EQUAL("prepare container c: mount /no/such/folder at /data: No such file or directory",
               ran.started.error().message.c_str());
  CHECK(!exists(node->writable_folder("c")));
  CHECK(!exists(node->cgroups.folder_of("memory", "c")));
}

TEST(Container, mount_places_follow_the_images_links_and_stay_inside) {
  if (node == nullptr) return;
  const std::string layer = node->folder / "links";
  fs::create_directories(layer + "/var");
  fs::create_symlink("/run", layer + "/var/run");  // dangling: there is no /run
  fs::create_symlink("../../../../../../../etc", layer + "/up");
  fs::create_symlink("/run/nowhere/resolv", layer + "/resolv");
  write_text(node->folder / "token", "secret\n");
  auto spec = node->shell("c", "cat /run/secrets/token /etc/kl /run/nowhere/resolv");
  spec.rootfs.layers.push_back(layer);
  spec.mounts = {{.source = node->folder / "token", .destination = "/var/run/secrets/token"},
                 {.source = node->folder / "token", .destination = "/up/kl"},
                 {.source = node->folder / "token", .destination = "/resolv"}};
  output_is("secret\nsecret\nsecret\n", node->run(spec));
  CHECK(!exists("/etc/kl") && !exists("/run/secrets"));
}

TEST(Container, a_read_only_root_is_read_only_and_its_volumes_are_not) {
  if (node == nullptr) return;
  fs::create_directories(node->folder / "volume");
  auto spec = node->shell("c",
                          "echo x > /f || echo refused; echo x > /data/f && echo written; "
                          "echo x > /dev/shm/f && echo shm");
  spec.rootfs.read_only = true;
  spec.mounts = {{.source = node->folder / "volume", .destination = "/data"}};
  const auto ran = node->run(spec);
  STRCMP_CONTAINS("refused\nwritten\nshm\n", ran.output.c_str());
}

TEST(Container, what_it_writes_is_its_own) {
  if (node == nullptr) return;
  output_is("", node->run_shell("echo x > /bin/new; rm /etc/passwd"));
  output_is("there\n", node->run_shell("[ -e /bin/new ] || [ -e /etc/passwd ] && echo there"));
  CHECK(exists(node->layer() + "/etc/passwd"));
}

TEST(Container, an_image_of_many_layers_is_seen_as_one) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "cat /f; ls /many | wc -l");
  for (int i = 0; i < 60; ++i) {
    const std::string layer = node->folder / ("l/" + std::to_string(i));
    fs::create_directories(layer + "/many");
    write_text(layer + "/f", std::to_string(i) + "\n");
    write_text(layer + "/many/" + std::to_string(i), "x");
    spec.rootfs.layers.push_back(layer);
  }
  output_is("59\n60\n", node->run(spec));
  fs::remove_all(node->folder / "l");
}

TEST(Container, siblings_share_network_ipc_names_and_shared_memory) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("a", "echo hi > /dev/shm/note; sleep 1000")).has_value());
  CHECK(node->wait_for([&] { return exists(node->folder / "sandbox-box/shm/note"); }));
  const auto links = [](const std::string& pid) {
    std::string text;
    for (const char* name : {"net", "ipc", "uts", "pid", "mnt", "cgroup"}) {
      text += fs::read_symlink("/proc/" + pid + "/ns/" + name).string() + " ";
    }
    return text;
  };
  auto second = node->shell("b", "cat /dev/shm/note; sleep 1000");
  CHECK(node->start(second).has_value());
  CHECK(node->wait_for([&] { return node->output_of("b") == "hi\n"; }));
  const auto& containers = node->client().containers();
  const std::string a = links(std::to_string(containers.at("a").pid));
  const std::string b = links(std::to_string(containers.at("b").pid));
  STRCMP_EQUAL(a.substr(0, a.find("pid:")).c_str(), b.substr(0, b.find("pid:")).c_str());
  CHECK(a.substr(a.find("pid:")) != b.substr(b.find("pid:")));
}

TEST(Container, log_lines_are_bounded_partial_ones_are_marked_and_files_rotate) {
  if (node == nullptr) return;
  auto spec = node->shell("c",
                          "printf 'no end'; sleep 0.05; echo; "
                          "head -c 40000 /dev/zero | tr '\\0' x; echo; "
                          "seq 1 20000");
  spec.log.max_bytes = 100'000;
  spec.log.max_files = 3;
  CHECK(node->start(spec).has_value());
  CHECK(node->wait_exit("c").has_value());
  const std::string log = node->log_of("c");
  CHECK(!exists(node->options.log_root + "/c.log.3"));
  CHECK(exists(node->options.log_root + "/c.log.2"));
  // A file may go over by one batch of output and its prefixes.
  CHECK(log.size() < 3 * (100'000 + 64 * 1024 * 21));
  CHECK(log.ends_with(" stdout F 20000\n"));
}

TEST(Container, no_line_is_lost_or_doubled_over_rotation) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "seq 1 100000");
  spec.log.max_bytes = 1'000'000;
  spec.log.max_files = 20;
  std::string expected;
  for (int i = 1; i <= 100'000; ++i) expected += std::to_string(i) + "\n";
  output_is(expected, node->run(spec));
}

TEST(Container, limits_of_cpu_memory_and_processes_are_the_cgroups) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait");
  spec.resources = {.cpu_shares = 256, .cpu_quota_us = 50'000, .memory_bytes = 32 << 20, .pids = 5};
  const auto ran = node->run(spec);
  STRCMP_CONTAINS("can't fork: Resource temporarily unavailable", ran.output.c_str());
  const auto folder = [&](const char* name) { return node->cgroups.folder_of(name, "c"); };
  if (node->cgroups.is_v2()) {
    STRCMP_EQUAL("50000 100000\n", read_text(folder("cpu") + "/cpu.max").c_str());
    STRCMP_EQUAL("33554432\n", read_text(folder("memory") + "/memory.max").c_str());
  } else {
    STRCMP_EQUAL("256\n", read_text(folder("cpu") + "/cpu.shares").c_str());
    STRCMP_EQUAL("50000\n", read_text(folder("cpu") + "/cpu.cfs_quota_us").c_str());
    STRCMP_EQUAL("33554432\n", read_text(folder("memory") + "/memory.limit_in_bytes").c_str());
  }
}

TEST(Container, what_eats_more_memory_than_its_limit_is_killed_and_that_is_known) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "tail /dev/zero");
  spec.process.argv = {"tail", "/dev/zero"};
  spec.resources.memory_bytes = 16 << 20;
  CHECK(node->start(spec).has_value());
  const auto exit = node->wait_exit("c", 30s);
  CHECK(exit.has_value());
  LONGS_EQUAL(137, exit->exit_code);
  const auto statistics = node->cgroups.statistics("c");
  CHECK(statistics.has_value());
  CHECK(statistics->oom_kills >= 1);
  CHECK(node->start(node->shell("other", "sleep 1000")).has_value());
  const auto other = node->cgroups.statistics("other");
  LONGS_EQUAL(0, other->oom_kills);
  CHECK(other->pids >= 1 && other->memory_usage_bytes > 0);
}

TEST(Container, is_in_its_cgroups_before_it_executes_and_sees_them_read_only) {
  if (node == nullptr) return;
  const auto ran = node->run_shell(
      "cat /proc/self/cgroup; ls /sys/fs/cgroup; "
      "mkdir /sys/fs/cgroup/x 2>&1; mkdir /sys/fs/cgroup/memory/x 2>&1");
  // In its own cgroup namespace it is at the root of each.
  STRCMP_CONTAINS("0::/\n", ran.output.c_str());
  CHECK_FALSE(ran.output.contains("keelson-test"));
  STRCMP_CONTAINS("Read-only file system", ran.output.c_str());
  STRCMP_CONTAINS(node->cgroups.is_v2() ? "memory.max" : "memory", ran.output.c_str());
}

TEST(Container, a_second_of_the_same_id_is_refused) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  auto again = node->shell("c", "true");
  again.rootfs.writable_folder += "-2";
  again.cgroup = "c-2";
  const auto second = node->start(again);
  CHECK(!second.has_value());
  CHECK(second.error().reason == Reason::AlreadyExists);
  CHECK(!exists(node->writable_folder("c") + "-2"));
  CHECK(!exists(node->cgroups.folder_of("memory", "c-2")));
}

TEST(Container, in_a_sandbox_nobody_holds_is_refused) {
  if (node == nullptr) return;
  CHECK(node->add_sandbox("box").has_value());
  CHECK(node->release_sandbox("box").has_value());
  auto prepared = prepare_container(node->shell("c", "true"), node->cgroups, node->seccomp);
  CHECK(prepared.has_value());
  std::optional<Error> error;
  node->client().start(std::move(*prepared), [&](Result<ContainerState> state) {
    if (!state) error = state.error();
  });
  CHECK(node->wait_for([&] { return error.has_value(); }));
  CHECK(error->reason == Reason::NotFound);
}

TEST(Container, a_sandbox_with_containers_is_not_released) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  CHECK(!node->release_sandbox("box").has_value());
  node->remove("c");
  CHECK(node->release_sandbox("box").has_value());
  CHECK(node->release_sandbox("box").has_value());  // nothing there is success
}

TEST(Container, an_ended_one_is_forgotten_and_a_running_one_is_not) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  CHECK(!node->forget("c").has_value());
  node->remove("c");
  CHECK(!node->client().containers().contains("c"));
  CHECK(!exists(node->writable_folder("c")));
  CHECK(node->start(node->shell("c", "true")).has_value());  // the id is free again
}

TEST(Container, what_it_leaves_running_on_the_nodes_pids_is_ended_with_it) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "sleep 1000 & sleep 1000 & exit 0");
  spec.pid_namespace = PidNamespace::Node;
  CHECK(node->start(spec).has_value());
  LONGS_EQUAL(0, node->wait_exit("c")->exit_code);
  LONGS_EQUAL(2, node->cgroups.processes("c")->size());
  node->remove("c");
  CHECK(!exists(node->cgroups.folder_of("memory", "c")));
}

TEST(Container, limits_it_cannot_have_are_named) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "ulimit -n");
  spec.process.capabilities.add = {"SYS_RESOURCE", "NET_ADMIN"};
  spec.process.rlimits = {{RLIMIT_NOFILE, 500, 1000}, {RLIMIT_CORE, 0, 0}};
  spec.process.oom_score_adj = -500;
  CHECK(node->add_sandbox("box").has_value());
  std::string refused;
  {
    const auto prepared = prepare_container(spec, node->cgroups, node->seccomp);
    CHECK(prepared.has_value());
    for (const auto& each : prepared->refused()) refused += each + "; ";
  }
  if (refused.contains("SYS_RESOURCE")) {
    STRCMP_EQUAL("capability SYS_RESOURCE; oom_score_adj -500; ", refused.c_str());
  } else {
    STRCMP_EQUAL("", refused.c_str());
  }
  output_is("500\n", node->run(spec));
}

TEST(Container, gets_the_oom_score_it_is_given) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "cat /proc/self/oom_score_adj");
  spec.process.oom_score_adj = 939;
  output_is("939\n", node->run(spec));
}

}  // namespace keelson::isolation

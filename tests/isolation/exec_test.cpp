// Commands inside running containers, terminals, standard input, and what is said when a program
// cannot be executed.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "isolation/terminal.h"
#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {
namespace fs = std::filesystem;

TEST_GROUP(Exec) {
  std::unique_ptr<TestNode> node;
  void setup() override {
    if (can_run_containers()) node = std::make_unique<TestNode>();
  }
  void teardown() override {
    node.reset();
  }

  void start_sleeper(const std::function<void(ContainerSpec&)>& change = {}) {
    auto spec = node->shell("c", "echo up; trap 'exit 0' TERM; while :; do sleep 0.02; done");
    if (change) change(spec);
    const auto started = node->start(spec);
    CHECK_TEXT(started.has_value(), started ? "" : started.error().message.c_str());
    CHECK(node->wait_for([&] { return node->output_of("c") == "up\n"; }));
  }
};

TEST(Exec, runs_inside_and_gives_its_exit_code) {
  if (node == nullptr) return;
  start_sleeper();
  const auto done =
      node->exec("c", {"sh", "-c", "cat; echo err >&2; hostname; exit 5"}, {}, "input\n");
  CHECK_TEXT(done.started.has_value(), done.started ? "" : done.started.error().message.c_str());
  LONGS_EQUAL(5, done.exit->exit_code);
  STRCMP_EQUAL("input\nerr\nhost-box\n", done.output.c_str());
  LONGS_EQUAL(0, node->exec("c", {"true"}).exit->exit_code);
}

TEST(Exec, has_the_containers_user_rights_environment_folder_and_cgroup) {
  if (node == nullptr) return;
  start_sleeper([](ContainerSpec& spec) {
    spec.process.user.image_user = "app";
    spec.process.env = {"A=b"};
    spec.process.working_directory = "/tmp";
    spec.process.no_new_privileges = true;
  });
  const auto done = node->exec(
      "c", {"sh", "-c",
            "id; pwd; echo $A; grep -e CapBnd -e NoNew -e Seccomp: /proc/self/status | "
            "tr -d '\\t'; cat /proc/self/cgroup | grep 0::; ls /proc/self/fd | wc -l;"
            "[ $(readlink /proc/self/ns/pid) = $(readlink /proc/1/ns/pid) ] && echo same"});
  STRCMP_EQUAL(
      "uid=1000(app) gid=1001 groups=33(www),44(video),1001\n/tmp\nb\nCapBnd:00000000a80425fb\n"
      "NoNewPrivs:1\nSeccomp:2\n0::/\n4\nsame\n",
      done.output.c_str());
  // In every hierarchy, for what it uses is the container's.
  CHECK(node->cgroups.processes("c")->size() >= 1);
}

TEST(Exec, what_cannot_be_executed_is_said_as_kubernetes_users_know_it) {
  if (node == nullptr) return;
  const std::string layer = node->folder / "programs";
  fs::create_directories(layer + "/bin");
  write_text(layer + "/bin/plain", "x");
  write_text(layer + "/bin/bad", "not a program");
  write_text(layer + "/bin/lost", "#!/no/such/interpreter\n");
  for (const char* name : {"bad", "lost"}) fs::permissions(layer + "/bin/" + name, fs::perms(0755));
  struct Case {
    const char* argv0;
    const char* words;
  };
  const Case cases[] = {{"foo", "exec: \"foo\": executable file not found in $PATH"},
                        {"plain", "exec: \"plain\": executable file not found in $PATH"},
                        {"/nope", "exec: \"/nope\": stat /nope: no such file or directory"},
                        {"/bin/plain", "exec: \"/bin/plain\": permission denied"},
                        {"/bin", "exec: \"/bin\": is a directory"},
                        {"bad", "exec /bin/bad: exec format error"},
                        {"lost", "exec /bin/lost: no such file or directory"},
                        {"", "exec: \"\": executable file not found in $PATH"}};
  start_sleeper([&](ContainerSpec& spec) { spec.rootfs.layers.push_back(layer); });
  int count = 0;
  for (const auto& c : cases) {
    const auto inside = node->exec("c", {c.argv0});
    CHECK_TEXT(!inside.started.has_value(), c.argv0);
    STRCMP_EQUAL(c.words, inside.started.error().message.c_str());
    auto spec = node->shell("s" + std::to_string(count++), "");
    spec.process.argv = {c.argv0};
    spec.rootfs.layers.push_back(layer);
    const std::string id = spec.id;
    const auto ran = node->run(spec);
    CHECK_TEXT(!ran.started.has_value(), c.argv0);
    STRCMP_EQUAL(c.words, ran.started.error().message.c_str());
    // It has left nothing.
    CHECK(!exists(node->writable_folder(id)));
    CHECK(!exists(node->cgroups.folder_of("memory", id)));
    CHECK(!node->client().containers().contains(id));
  }
}

TEST(Exec, in_what_does_not_run_is_refused) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "true")).has_value());
  CHECK(node->wait_exit("c").has_value());
  CHECK(!node->exec("c", {"true"}).started.has_value());
  CHECK(!node->exec("no-such", {"true"}).started.has_value());
}

TEST(Exec, with_a_terminal_that_is_resized) {
  if (node == nullptr) return;
  start_sleeper();
  const auto done = node->exec("c", {"sh", "-c", "tty; stty size"}, TerminalSize{31, 97});
  CHECK_TEXT(done.started.has_value(), done.started ? "" : done.started.error().message.c_str());
  STRCMP_EQUAL("/dev/pts/0\r\n31 97\r\n", done.output.c_str());

  std::optional<Result<ExecStarted>> started;
  node->client().exec(
      {.container_id = "c",
       .argv = {"sh", "-c",
                "trap 'stty size; exit 9' WINCH; echo ready; "
                "while :; do sleep 0.01; done"},
       .cgroup = "c",
       .terminal = TerminalSize{}},
      [&](auto result) { started = std::move(result); }, [](auto) {});
  CHECK(node->wait_for([&] { return started.has_value(); }));
  const int master = (*started)->terminal.get();
  fcntl(master, F_SETFL, O_NONBLOCK);
  std::string shown;
  const auto shows = [&](const char* text) {
    char bytes[256];
    for (ssize_t got = 0; (got = read(master, bytes, sizeof bytes)) > 0;) {
      shown.append(bytes, static_cast<std::size_t>(got));
    }
    return shown.contains(text);
  };
  CHECK(node->wait_for([&] { return shows("ready"); }));
  CHECK(resize_terminal(master, {50, 132}).has_value());
  CHECK(node->wait_for([&] { return shows("50 132"); }));
}

TEST(Exec, ends_when_its_client_goes_and_by_signal) {
  if (node == nullptr) return;
  start_sleeper();
  std::optional<Result<ExecStarted>> started;
  std::optional<Result<ExitStatus>> ended;
  const auto begin = [&] {
    started.reset();
    ended.reset();
    node->client().exec(
        {.container_id = "c", .argv = {"sleep", "1000"}, .cgroup = "c"},
        [&](auto result) { started = std::move(result); },
        [&](auto result) { ended = std::move(result); });
    CHECK(node->wait_for([&] { return started.has_value(); }));
  };
  begin();
  node->client().signal_exec((*started)->exec_id, SIGKILL);
  CHECK(node->wait_for([&] { return ended.has_value(); }));
  LONGS_EQUAL(137, (*ended)->exit_code);
  begin();
  const auto has_sleeper = [&] {
    return node->exec("c", {"sh", "-c", "ps | grep -q '[s]leep 1000'"}).exit->exit_code == 0;
  };
  CHECK(has_sleeper());
  node->new_client();
  CHECK(node->wait_for([&] { return !has_sleeper(); }));
}

TEST(Exec, of_many_at_once_each_gets_its_own) {
  if (node == nullptr) return;
  start_sleeper();
  constexpr int count = 40;
  int ended = 0;
  for (int i = 0; i < count; ++i) {
    node->client().exec(
        {.container_id = "c", .argv = {"sh", "-c", "exit " + std::to_string(i)}, .cgroup = "c"},
        [](auto result) { CHECK(result.has_value()); },
        [&ended, i](Result<ExitStatus> status) {
          LONGS_EQUAL(i, status->exit_code);
          ++ended;
        });
  }
  CHECK(node->wait_for([&] { return ended == count; }, 30s));
}

TEST(Exec, a_container_with_a_terminal_is_logged_attached_to_and_hears) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "stty -echo; tty; while read line; do echo \"got $line\"; done");
  spec.process.terminal = true;
  CHECK(node->start(spec).has_value());
  CHECK(node->wait_for([&] { return node->output_of("c").contains("/dev/pts/0\r\n"); }));
  int pipe_ends[2];
  LONGS_EQUAL(0, pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK));
  const Fd reader(pipe_ends[0]);
  std::optional<Result<Attached>> attached;
  node->client().attach("c", Fd(pipe_ends[1]), Fd(),
                        [&](auto result) { attached = std::move(result); });
  CHECK(node->wait_for([&] { return attached.has_value(); }));
  CHECK((*attached)->is_terminal);
  LONGS_EQUAL(6, write((*attached)->input.get(), "hello\n", 6));
  std::string seen;
  CHECK(node->wait_for([&] {
    char bytes[256];
    const auto got = read(reader.get(), bytes, sizeof bytes);
    if (got > 0) seen.append(bytes, static_cast<std::size_t>(got));
    return seen.contains("got hello\r\n");
  }));
  CHECK(node->wait_for([&] { return node->output_of("c").contains("got hello\r\n"); }));
}

TEST(Exec, a_container_with_open_input_reads_until_it_is_closed) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "echo up; cat; echo end");
  spec.stdin_open = true;
  CHECK(node->start(spec).has_value());
  std::optional<Result<Attached>> attached;
  node->client().attach("c", Fd(), Fd(), [&](auto result) { attached = std::move(result); });
  CHECK(node->wait_for([&] { return attached.has_value(); }));
  CHECK_TEXT(attached->has_value(), attached->has_value() ? "" : attached->error().message.c_str());
  LONGS_EQUAL(3, write((*attached)->input.get(), "in\n", 3));
  CHECK(node->wait_for([&] { return node->output_of("c") == "up\nin\n"; }));
  (*attached)->input = Fd();
  node->client().close_stdin("c");
  CHECK(node->wait_exit("c").has_value());
  STRCMP_EQUAL("up\nin\nend\n", node->output_of("c").c_str());
}

}  // namespace keelson::isolation

// kill -9 of the agent, of the spawner's worker, of its keeper and of both: containers go on, logs
// have every line once, exit codes are kept.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <sstream>

#include "isolation/launch.h"
#include "isolation/memfd.h"
#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {

TEST_GROUP(Adoption) {
  std::unique_ptr<TestNode> node;
  void setup() override {
    if (can_run_containers()) node = std::make_unique<TestNode>();
  }
  void teardown() override {
    node.reset();
  }

  int pid_of(const std::string& id) {
    return node->client().containers().at(id).pid;
  }
  // The connection is lost by what is done, and there again.
  void over_a_loss(const std::function<void()>& what) {
    const int before = node->losses;
    what();
    CHECK(node->wait_for([&] { return node->losses > before && node->client().is_ready(); }));
  }
  // The keeper starts another.
  void kill_worker() {
    over_a_loss([&] { node->kill_spawner(); });
  }
  void kill_both() {
    over_a_loss([&] {
      node->kill_whole_spawner();
      node->start_spawner();
    });
  }
  // 1, 2, 3 … without a gap and without a repetition; the last of them.
  long count_up(const std::string& output) {
    std::istringstream lines(output);
    long expected = 1;
    for (std::string line; std::getline(lines, line); ++expected) {
      STRCMP_EQUAL(std::to_string(expected).c_str(), line.c_str());
    }
    return expected - 1;
  }
};

// Writes numbers as fast as it can, with a pause now and then, until it is told to stop.
static const char* counter =
    "trap 'stop=1' TERM; i=0; while [ -z \"$stop\" ]; do i=$((i+1)); echo $i; done; exit 42";

TEST(Adoption, an_agent_that_is_killed_finds_everything_again) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("runs", "sleep 1000")).has_value());
  CHECK(node->start(node->shell("ended", "exit 9")).has_value());
  CHECK(node->wait_exit("ended").has_value());
  const int pid = pid_of("runs");
  node->drop_client();
  kill(pid, SIGKILL);  // it ends while nobody listens
  node->changes.clear();
  node->new_client();
  LONGS_EQUAL(9, node->wait_exit("ended")->exit_code);
  LONGS_EQUAL(137, node->wait_exit("runs")->exit_code);
  STRCMP_EQUAL("label of ended", node->client().containers().at("ended").label.c_str());
  STRCMP_EQUAL("box", node->client().containers().at("ended").sandbox_id.c_str());
  STRCMP_EQUAL("label of box", node->client().sandboxes().at("box").label.c_str());
}

TEST(Adoption, a_killed_worker_ends_no_container_and_loses_no_line_and_no_exit_code) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", counter)).has_value());
  const int pid = pid_of("c");
  for (int round = 0; round < 20; ++round) {
    kill_worker();
    LONGS_EQUAL(pid, pid_of("c"));
    CHECK(!node->client().containers().at("c").exit.has_value());
  }
  CHECK(node->signal("c", SIGTERM).has_value());
  const auto exit = node->wait_exit("c");
  CHECK(exit.has_value() && exit->known);
  LONGS_EQUAL(42, exit->exit_code);
  CHECK(count_up(node->output_of("c")) > 100);
}

TEST(Adoption, keeper_and_worker_killed_end_no_container_and_lose_no_line) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", counter)).has_value());
  const int pid = pid_of("c");
  for (int round = 0; round < 8; ++round) {
    kill_both();
    LONGS_EQUAL(pid, pid_of("c"));
  }
  CHECK(node->signal("c", SIGTERM).has_value());
  const auto exit = node->wait_exit("c");
  CHECK(exit.has_value());
  if (exit->known) LONGS_EQUAL(42, exit->exit_code);  // from Linux 6.15
  CHECK(count_up(node->output_of("c")) > 100);
}

TEST(Adoption, what_ends_while_no_worker_is_there_keeps_its_exit_code_and_last_words) {
  if (node == nullptr) return;
  constexpr int count = 10;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    CHECK(node->start(node->shell("c" + n, "trap 'echo bye " + n + "; exit " + n +
                                               "' TERM; "
                                               "echo up; while :; do sleep 0.01; done"))
              .has_value());
  }
  CHECK(node->wait_for([&] {
    for (int i = 0; i < count; ++i) {
      if (node->output_of("c" + std::to_string(i)) != "up\n") return false;
    }
    return true;
  }));
  const int worker = node->worker_pid();
  kill(worker, SIGSTOP);  // so that it sees nothing of what follows
  for (int i = 0; i < count; ++i) kill(pid_of("c" + std::to_string(i)), SIGTERM);
  usleep(100'000);
  kill(worker, SIGKILL);
  for (int i = 0; i < count; ++i) {
    const std::string id = "c" + std::to_string(i);
    const auto exit = node->wait_exit(id);
    CHECK_TEXT(exit.has_value() && exit->known, id.c_str());
    LONGS_EQUAL(i, exit->exit_code);
    STRCMP_EQUAL(("up\nbye " + std::to_string(i) + "\n").c_str(), node->output_of(id).c_str());
  }
}

TEST(Adoption, a_worker_whose_keeper_is_killed_goes_on_and_the_next_keeper_waits) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", counter)).has_value());
  const int pid = pid_of("c");
  const int worker = node->worker_pid();
  kill(node->keeper_pid(), SIGKILL);
  waitpid(node->keeper_pid(), nullptr, 0);
  CHECK(node->start(node->shell("d", "exit 4")).has_value());  // it still serves
  LONGS_EQUAL(4, node->wait_exit("d")->exit_code);
  node->start_spawner();  // returns at once: the socket is there; it waits for the lock
  CHECK(node->client().is_ready());
  over_a_loss([&] { kill(worker, SIGKILL); });
  LONGS_EQUAL(pid, pid_of("c"));
  CHECK(node->signal("c", SIGTERM).has_value());
  CHECK(node->wait_exit("c").has_value());
  CHECK(count_up(node->output_of("c")) > 100);
}

TEST(Adoption, an_empty_sandbox_keeps_its_network_through_both_kills) {
  if (node == nullptr) return;
  CHECK(node->add_sandbox("box", true).has_value());
  const auto network = [&] {
    const auto ran = node->run_shell("readlink /proc/self/ns/net");
    CHECK(ran.started.has_value());
    return ran.output;
  };
  const std::string before = network();
  kill_worker();
  STRCMP_EQUAL(before.c_str(), network().c_str());
  kill_both();
  CHECK(node->wait_for([&] { return node->client().sandboxes().contains("box"); }));
  STRCMP_EQUAL(before.c_str(), network().c_str());
}

TEST(Adoption, a_terminal_stays_open_when_the_worker_is_killed) {
  if (node == nullptr) return;
  auto spec =
      node->shell("c", "stty -echo; i=0; while read line; do echo \"got $line\"; done; echo eof");
  spec.process.terminal = true;
  CHECK(node->start(spec).has_value());
  for (int round = 1; round <= 5; ++round) {
    kill_worker();
    std::optional<Result<Attached>> attached;
    node->client().attach("c", Fd(), Fd(), [&](auto result) { attached = std::move(result); });
    CHECK(node->wait_for([&] { return attached.has_value(); }));
    CHECK(attached->has_value());
    const std::string line = std::to_string(round) + "\n";
    LONGS_EQUAL(line.size(), write((*attached)->input.get(), line.data(), line.size()));
    CHECK(node->wait_for(
        [&] { return node->output_of("c").contains("got " + std::to_string(round) + "\r\n"); }));
  }
}

TEST(Adoption, exec_works_after_it) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  kill_worker();
  LONGS_EQUAL(3, node->exec("c", {"sh", "-c", "exit 3"}).exit->exit_code);
  kill_both();
  LONGS_EQUAL(3, node->exec("c", {"sh", "-c", "exit 3"}).exit->exit_code);
}

TEST(Adoption, the_spawner_becomes_another_program_with_all_it_holds) {
  if (node == nullptr) return;
  CHECK(node->add_sandbox("box", true).has_value());
  CHECK(node->start(node->shell("c", counter)).has_value());
  const int pid = pid_of("c");
  const int keeper = node->keeper_pid();
  for (int round = 0; round < 3; ++round) {
    over_a_loss([&] {
      auto program = spawner_program();
      CHECK(program.has_value());
      node->client().upgrade(std::move(*program), [](Result<>) {});
    });
    CHECK(kill(keeper, 0) == 0);
    LONGS_EQUAL(pid, pid_of("c"));
  }
  CHECK(node->start(node->shell("d", "exit 6")).has_value());
  LONGS_EQUAL(6, node->wait_exit("d")->exit_code);
  CHECK(node->signal("c", SIGTERM).has_value());
  const auto exit = node->wait_exit("c");
  CHECK(exit->known);
  LONGS_EQUAL(42, exit->exit_code);
  CHECK(count_up(node->output_of("c")) > 100);
}

TEST(Adoption, an_upgrade_to_what_is_no_program_changes_nothing) {
  if (node == nullptr) return;
  CHECK(node->start(node->shell("c", "sleep 1000")).has_value());
  auto rubbish = sealed_memfd("rubbish", "no program");
  over_a_loss([&] { node->client().upgrade(std::move(*rubbish), [](Result<>) {}); });
  CHECK(!node->client().containers().at("c").exit.has_value());
}

// The worker dies at random moments of starts and ends: whatever a client is told is true, and
// nothing is left over.
TEST(Adoption, starts_that_are_interrupted_either_are_or_are_not) {
  if (node == nullptr) return;
  int started = 0, refused = 0;
  for (int round = 0; round < 15; ++round) {
    const std::string id = "c" + std::to_string(round);
    CHECK(node->wait_for([&] { return node->client().is_ready(); }));
    if (!node->client().sandboxes().contains("box")) CHECK(node->add_sandbox("box").has_value());
    auto prepared = prepare_container(node->shell(id, "exit 5"), node->cgroups, node->seccomp);
    CHECK(prepared.has_value());
    std::optional<Result<ContainerState>> result;
    node->client().start(std::move(*prepared), [&](auto state) { result = std::move(state); });
    usleep(static_cast<useconds_t>(round * 150));
    node->kill_spawner();
    CHECK(node->wait_for([&] { return result.has_value(); }));
    CHECK(node->wait_for([&] { return node->client().is_ready(); }));
    if (result->has_value()) {
      ++started;
      CHECK(node->wait_exit(id).has_value());
      node->remove(id);
    } else {
      ++refused;
      CHECK(!node->client().containers().contains(id));
    }
    CHECK(!exists(node->writable_folder(id)));
  }
  LONGS_EQUAL(15, started + refused);
}

}  // namespace keelson::isolation

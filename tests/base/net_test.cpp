// Addresses and sockets of loopback.
#include "base/net.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Net){};

TEST(Net, takes_hosts_and_ports_apart) {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  const Case cases[] = {
      {"127.0.0.1:6443", "127.0.0.1", 6443}, {"[::1]:1", "::1", 1}, {"name:0", "name", 0}};
  for (const Case& c : cases) {
    auto parsed = parse_host_port(c.text);
    CHECK_TEXT(parsed.has_value(), c.text);
    STRCMP_EQUAL_TEXT(c.host, parsed->host.c_str(), c.text);
    LONGS_EQUAL_TEXT(c.port, parsed->port, c.text);
  }
  for (const char* bad : {"", "host", "host:", ":1", "h:x", "h:1x", "h:70000", "::1:1", "h:-1"}) {
    CHECK_TEXT(!parse_host_port(bad).has_value(), bad);
  }
}

TEST(Net, listens_and_connects_by_text) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    auto listener = listen_on(address);
    CHECK_TEXT(listener.has_value(), address);
    const std::string bound = local_address(listener->get());
    CHECK_TEXT(!bound.ends_with(":0"), bound.c_str());
    auto connecting = start_connect(bound);
    CHECK(connecting.has_value());
    Fd accepted(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    pollfd poll{listener->get(), POLLIN, 0};
    if (!accepted && ::poll(&poll, 1, 5000) == 1)
      accepted = Fd(::accept(listener->get(), nullptr, nullptr));
    CHECK(bool(accepted));
    STRCMP_EQUAL(local_address(connecting->get()).c_str(), peer_address(accepted.get()).c_str());
  }
}

TEST(Net, says_what_is_wrong_with_an_address) {
  auto taken = listen_on("127.0.0.1:0");
  const std::string address = local_address(taken->get());
  auto again = listen_on(address);
  CHECK(!again.has_value());
  CHECK_TEXT(again.error().message.contains(address + ": Address already in use"),
             again.error().message.c_str());
  CHECK(listen_on("localhost:1").error().message.contains("numeric"));
  CHECK(listen_on("unix:").error().message.contains("socket path"));
  CHECK(listen_on("unix:/" + std::string(200, 'x')).error().reason == Reason::Invalid);
  CHECK(start_connect("unix:/nonexistent").error().reason == Reason::NotFound);
}

TEST(Net, takes_the_listeners_that_were_left_for_this_process_once) {
  // Descriptor 3 may be in use: it is kept aside while the test plays the parent.
  Fd aside(::fcntl(3, F_DUPFD_CLOEXEC, 10));
  auto listener = listen_on("127.0.0.1:0");
  CHECK(::dup2(listener->get(), 3) == 3);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  {
    auto taken = take_inherited_listeners();
    LONGS_EQUAL(1, taken.size());
    LONGS_EQUAL(3, taken[0].get());
    CHECK((::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(3, F_GETFL) & O_NONBLOCK) != 0);
    POINTERS_EQUAL(nullptr, std::getenv("LISTEN_FDS"));
    LONGS_EQUAL(0, take_inherited_listeners().size());
  }
  if (aside) ::dup2(aside.get(), 3);
}

TEST(Net, listeners_of_another_process_are_left_alone) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  LONGS_EQUAL(0, take_inherited_listeners().size());
}

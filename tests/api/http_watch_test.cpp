// A watch over HTTP: frames in any pieces, and every way it can end.
#include <mutex>

#include "api/http_client.h"
#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/status.h"
#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

std::string frame(const char* type, const std::string& name, Revision revision) {
  core::ConfigMap map;
  if (!name.empty()) map.mutable_metadata()->set_name(name);
  map.mutable_metadata()->set_resourceversion(std::to_string(revision));
  return watch_frame(type, to_envelope("v1", "ConfigMap", map.SerializeAsString()));
}

std::string error_frame(const Error& error) {
  meta::Status status;
  to_status(error, status);
  return watch_frame("ERROR", to_envelope("v1", "Status", status.SerializeAsString()));
}

// A scripted server, the client's watch on it, and what it told.
struct WatchFixture : Utest {
  IoThreads threads{1};
  IoThreads owner{1};
  HttpClient http{threads.loop(0), Limits()};
  SystemRandom random;
  std::string target;
  std::shared_ptr<ByteSink> stream;
  std::function<void(std::unique_ptr<Exchange>)> answer;
  std::unique_ptr<TestServer> server;
  std::unique_ptr<HttpApiClient> client;
  Pending watching;

  std::mutex mutex;
  std::vector<std::string> events;  // guarded by mutex
  Given<Error> end;
  Event opened, closed;
  std::atomic<int> ends = 0;

  void setup() override {
    answer = [this](std::unique_ptr<Exchange> exchange) {
      target = exchange->request().target;
      stream = exchange->stream(
          {.headers = {{"Content-Type", "application/vnd.kubernetes.protobuf;stream=watch"}}});
      stream->on_closed([this] { closed.set(); });
      opened.set();
    };
    server = std::make_unique<TestServer>(
        threads, [this](std::unique_ptr<Exchange> exchange) { answer(std::move(exchange)); });
    client = std::move(
        *HttpApiClient::make({.url = "http://" + server->address}, {owner.loop(0), http, random}));
  }
  void teardown() override {
    on_owner([this] {
      watching.reset();
      client.reset();
    });
    stream.reset();
    server.reset();
  }
  void on_owner(std::function<void()> work) {
    Event done;
    owner.loop(0).post([&] {
      work();
      done.set();
    });
    CHECK(done.wait());
  }
  void watch(std::function<void()> on_event = {}) {
    on_owner([&] {
      watching = client->watch(
          kinds::config_map(), {.which = {.label_selector = "a=b"}, .resource_version = 42},
          [this, on_event](WatchEvent event) {
            {
              std::lock_guard lock(mutex);
              events.push_back(describe(event));
            }
            if (on_event) on_event();
          },
          [this](Error error) {
            if (++ends == 1) end.give(std::move(error));
          });
    });
  }
  static std::string describe(const WatchEvent& event) {
    static constexpr const char* types[] = {"added", "modified", "deleted", "bookmark"};
    return fmt::format("{} {} {}", types[static_cast<int>(event.type)],
                       event.object ? event.object->name : "", event.resource_version);
  }
  bool saw(std::size_t count) {
    for (int i = 0; i < 10'000; ++i) {
      {
        std::lock_guard lock(mutex);
        if (events.size() >= count) return true;
      }
      ::usleep(1000);
    }
    return false;
  }
  Error ended() {
    auto error = end.wait();
    CHECK(error.has_value());
    on_owner([] {});
    LONGS_EQUAL(1, ends.load());
    return *error;
  }
};

}  // namespace

TEST_GROUP_BASE(HttpWatch, WatchFixture){};

TEST(HttpWatch, asks_for_bookmarks_from_a_revision_for_some_minutes) {
  watch();
  CHECK(opened.wait());
  CHECK(target.starts_with(
      "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=42&timeoutSeconds="));
  CHECK(target.ends_with("&labelSelector=a%3Db"));
  const int seconds = std::stoi(target.substr(target.find("timeoutSeconds=") + 15));
  CHECK(seconds >= 300 && seconds <= 600);
}

TEST(HttpWatch, tells_events_whatever_pieces_they_come_in) {
  watch();
  CHECK(opened.wait());
  const std::string all = frame("ADDED", "one", 43) + frame("MODIFIED", "one", 44) +
                          frame("BOOKMARK", "", 50) + frame("DELETED", "one", 51);
  for (const char byte : all) stream->write(std::string(1, byte));
  CHECK(saw(4));
  stream->write(all + all);
  CHECK(saw(12));
  std::lock_guard lock(mutex);
  STRCMP_EQUAL("added one 43", events[0].c_str());
  STRCMP_EQUAL("modified one 44", events[1].c_str());
  STRCMP_EQUAL("bookmark  50", events[2].c_str());
  STRCMP_EQUAL("deleted one 51", events[3].c_str());
}

TEST(HttpWatch, ends_well_when_the_server_ends_it) {
  watch();
  CHECK(opened.wait());
  stream->write(frame("ADDED", "one", 43));
  stream->finish();
  const Error error = ended();
  CHECK(error.reason == Reason::Timeout);
  LONGS_EQUAL(1, events.size());
}

TEST(HttpWatch, an_error_frame_is_its_end) {
  watch();
  CHECK(opened.wait());
  stream->write(frame("ADDED", "one", 43) +
                error_frame({Reason::Expired, "too old resource version: 42 (99)"}));
  const Error error = ended();
  CHECK(error.reason == Reason::Expired);
  STRCMP_EQUAL("too old resource version: 42 (99)", error.message.c_str());
  CHECK(closed.wait());
  LONGS_EQUAL(1, events.size());
}

TEST(HttpWatch, a_refusal_is_its_end) {
  answer = [](std::unique_ptr<Exchange> exchange) {
    exchange->respond(
        {.status = 410,
         .body = {make_bytes(
             R"({"kind":"Status","message":"too old","reason":"Expired","code":410})")}});
  };
  watch();
  const Error error = ended();
  CHECK(error.reason == Reason::Expired);
  STRCMP_EQUAL("too old", error.message.c_str());
}

TEST(HttpWatch, a_broken_connection_is_its_end) {
  watch();
  CHECK(opened.wait());
  stream->write(frame("ADDED", "one", 43));
  CHECK(saw(1));
  stream.reset();  // without finish
  CHECK(ended().reason == Reason::ServiceUnavailable);
}

TEST(HttpWatch, an_unreachable_server_is_its_end) {
  server.reset();
  watch();
  CHECK(ended().reason == Reason::ServiceUnavailable);
}

TEST(HttpWatch, what_is_no_event_is_its_end) {
  const std::string too_large = std::string("\x7f\xff\xff\xff", 4);
  const std::string junk = std::string("\0\0\0\4", 4) + "\xff\xff\xff\xff";
  const std::string no_envelope = watch_frame("ADDED", "{}");
  for (const std::string& bytes : {too_large, junk, no_envelope,
                                   watch_frame("ADDED", to_envelope("v1", "ConfigMap", "\xff"))}) {
    Given<Error> bad;
    Pending pending;
    opened.clear();
    on_owner([&] {
      pending = client->watch(
          kinds::config_map(), {}, [](WatchEvent) {},
          [&](Error error) { bad.give(std::move(error)); });
    });
    CHECK(opened.wait());
    stream->write(bytes);
    auto error = bad.wait();
    CHECK(error.has_value());
    CHECK_TEXT(error->reason == Reason::BadRequest, error->message.c_str());
    on_owner([&] { pending.reset(); });
  }
}

TEST(HttpWatch, a_dropped_watch_ends_at_the_server_without_a_call) {
  watch();
  CHECK(opened.wait());
  on_owner([this] { watching.reset(); });
  CHECK(closed.wait());
  LONGS_EQUAL(0, ends.load());
}

TEST(HttpWatch, may_be_dropped_from_inside_its_own_event) {
  watch([this] { watching.reset(); });
  CHECK(opened.wait());
  stream->write(frame("ADDED", "one", 43) + frame("ADDED", "two", 44));
  CHECK(closed.wait());
  on_owner([] {});
  LONGS_EQUAL(1, events.size());
  LONGS_EQUAL(0, ends.load());
}

TEST(HttpWatch, a_slow_owner_slows_the_server) {
  Event block;
  std::atomic<bool> first = true;
  watch([&] {
    if (first.exchange(false)) block.wait();
  });
  CHECK(opened.wait());
  const std::string event = frame("ADDED", std::string(200, 'n'), 43);
  std::string many;
  for (int i = 0; i < 100; ++i) many += event;
  auto bytes = make_bytes(many);
  int written = 0;
  bool room = true;
  for (; room && written < 20'000; ++written) {
    room = stream->write(bytes);
    if (room) continue;
    auto again = std::make_shared<Event>();
    stream->on_room([again] { again->set(); });
    for (int i = 0; i < 100 && !again->is_set(); ++i) ::usleep(1000);
    room = again->is_set();
  }
  CHECK(!room);  // the owner's pause reached the server
  block.set();
  CHECK(saw(static_cast<std::size_t>(written) * 100));
}

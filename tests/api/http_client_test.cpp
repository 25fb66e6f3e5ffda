// The API over HTTP against a scripted server on loopback.
#include "api/http_client.h"

#include <map>
#include <mutex>

#include "api/kinds.h"
#include "api/list.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/meta/v1/options.pb.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/status.h"
#include "base/x509.h"
#include "tests/base/http_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
using namespace keelson::http_test;

namespace {

core::ConfigMap config_map(const std::string& name, Revision revision = 7) {
  core::ConfigMap map;
  map.mutable_metadata()->set_namespace_("a");
  map.mutable_metadata()->set_name(name);
  map.mutable_metadata()->set_resourceversion(std::to_string(revision));
  return map;
}

HttpResponse protobuf(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/vnd.kubernetes.protobuf"}},
          .body = {make_bytes(std::move(body))}};
}

std::string envelope(const core::ConfigMap& map) {
  return to_envelope("v1", "ConfigMap", map.SerializeAsString());
}

std::string envelope(const Error& error) {
  meta::Status status;
  to_status(error, status);
  return to_envelope("v1", "Status", status.SerializeAsString());
}

std::string list_of(std::vector<core::ConfigMap> maps, const ListMetadata& metadata) {
  std::vector<ObjectPtr> objects;
  for (const auto& map : maps) objects.push_back(make_object(kinds::config_map(), map));
  return list_protobuf(kinds::config_map(), objects, metadata);
}

// What the server saw last.
struct Seen {
  std::string method, target, content_type, accept, user_agent, body;
};

}  // namespace

TEST_GROUP(HttpApiClient) {
  IoThreads threads{1};
  IoThreads owner{1};
  HttpClient http{threads.loop(0), Limits()};
  SystemRandom random;
  std::mutex mutex;
  Seen seen;  // guarded by mutex
  std::function<void(std::unique_ptr<Exchange>)> answer;
  std::unique_ptr<TestServer> server;
  std::unique_ptr<HttpApiClient> client;

  void setup() override {
    server = std::make_unique<TestServer>(threads, [this](std::unique_ptr<Exchange> exchange) {
      {
        std::lock_guard lock(mutex);
        HttpRequest& request = exchange->request();
        seen = {request.method,
                request.target,
                std::string(request.headers.get("Content-Type")),
                std::string(request.headers.get("Accept")),
                std::string(request.headers.get("User-Agent")),
                request.body};
      }
      answer(std::move(exchange));
    });
    client = make_client({.url = "http://" + server->address, .user_agent = "agent/1"});
  }
  void teardown() override {
    on_owner([this] { client.reset(); });
    server.reset();
  }
  std::unique_ptr<HttpApiClient> make_client(const ApiServer& where) {
    auto made = HttpApiClient::make(where, {owner.loop(0), http, random});
    CHECK(made.has_value());
    return std::move(*made);
  }
  void on_owner(std::function<void()> work) {
    Event done;
    owner.loop(0).post([&] {
      work();
      done.set();
    });
    CHECK(done.wait());
  }
  void respond(HttpResponse response) {
    answer = [response](std::unique_ptr<Exchange> exchange) { exchange->respond(response); };
  }
  template <typename T, typename Call>
  Result<T> ask(Call call) {
    auto given = std::make_shared<Given<Result<T>>>();
    owner.loop(0).post(
        [&] { call([given](Result<T> result) { given->give(std::move(result)); }); });
    auto result = given->wait();
    CHECK(result.has_value());
    return std::move(*result);
  }
  Result<ObjectPtr> get(const Kind& kind, const std::string& key) {
    return ask<ObjectPtr>([&](Client::Done done) { client->get(kind, key, std::move(done)); });
  }
  Result<ObjectList> list(ListOptions options = {}) {
    return ask<ObjectList>([&](Client::ListDone done) {
      client->list(kinds::config_map(), options, std::move(done));
    });
  }
  void expect_target(const char* method, const char* target) {
    std::lock_guard lock(mutex);
    STRCMP_EQUAL(method, seen.method.c_str());
    STRCMP_EQUAL(target, seen.target.c_str());
  }
};

TEST(HttpApiClient, gets_objects_by_protobuf) {
  respond(protobuf(200, envelope(config_map("one"))));
  auto object = get(kinds::config_map(), "a/one");
  CHECK(object.has_value());
  STRCMP_EQUAL("one", (*object)->name.c_str());
  LONGS_EQUAL(7, (*object)->resource_version);
  expect_target("GET", "/api/v1/namespaces/a/configmaps/one");
  STRCMP_EQUAL("application/vnd.kubernetes.protobuf", seen.accept.c_str());
  STRCMP_EQUAL("agent/1", seen.user_agent.c_str());
}

TEST(HttpApiClient, names_every_kind_of_path) {
  respond(protobuf(404, envelope(Error{Reason::NotFound, "none"})));
  get(kinds::deployment(), "ns/web");
  expect_target("GET", "/apis/apps/v1/namespaces/ns/deployments/web");
  get(kinds::node(), "node-1");
  expect_target("GET", "/api/v1/nodes/node-1");
  get(kinds::node(), "a b/../c");
  expect_target("GET", "/api/v1/namespaces/a%20b/nodes/..%2Fc");
}

TEST(HttpApiClient, creates_and_updates_by_protobuf) {
  respond(protobuf(201, envelope(config_map("one", 8))));
  auto created = ask<ObjectPtr>([&](Client::Done done) {
    client->create(kinds::config_map(), config_map("one"), std::move(done));
  });
  CHECK(created.has_value());
  LONGS_EQUAL(8, (*created)->resource_version);
  expect_target("POST", "/api/v1/namespaces/a/configmaps");
  STRCMP_EQUAL("application/vnd.kubernetes.protobuf", seen.content_type.c_str());
  auto sent = from_envelope(seen.body);
  CHECK(sent.has_value());
  STRCMP_EQUAL("ConfigMap", sent->kind.c_str());
  CHECK(parse_object(kinds::config_map(), std::string(sent->raw)).has_value());
  ask<ObjectPtr>([&](Client::Done done) {
    client->update(kinds::config_map(), config_map("one"), "status", std::move(done));
  });
  expect_target("PUT", "/api/v1/namespaces/a/configmaps/one/status");
}

TEST(HttpApiClient, patches_as_the_type_says) {
  struct Case {
    PatchType type;
    const char* content_type;
    const char* target;
  };
  const char* plain = "/api/v1/namespaces/a/configmaps/one/status";
  const Case cases[] = {
      {PatchType::Json, "application/json-patch+json", plain},
      {PatchType::Merge, "application/merge-patch+json", plain},
      {PatchType::StrategicMerge, "application/strategic-merge-patch+json", plain},
      {PatchType::Apply, "application/apply-patch+yaml",
       "/api/v1/namespaces/a/configmaps/one/status?fieldManager=agent&force=true"},
  };
  respond(protobuf(200, envelope(config_map("one"))));
  for (const Case& c : cases) {
    auto patched = ask<ObjectPtr>([&](Client::Done done) {
      client->patch(kinds::config_map(), "a/one", {c.type, "{}", "status"}, std::move(done));
    });
    CHECK_TEXT(patched.has_value(), c.content_type);
    expect_target("PATCH", c.target);
    STRCMP_EQUAL(c.content_type, seen.content_type.c_str());
    STRCMP_EQUAL("{}", seen.body.c_str());
  }
}

TEST(HttpApiClient, a_removal_gives_nothing_or_what_is_on_its_way_out) {
  auto remove = [&] {
    return ask<ObjectPtr>([&](Client::Done done) {
      client->remove(kinds::config_map(), "a/one",
                     {.grace_period_seconds = 0, .propagation_policy = "Orphan", .uid = "u"},
                     std::move(done));
    });
  };
  meta::Status success;
  success.set_status("Success");
  respond(protobuf(200, to_envelope("v1", "Status", success.SerializeAsString())));
  auto gone = remove();
  CHECK(gone.has_value() && *gone == nullptr);
  meta::DeleteOptions sent;
  CHECK(sent.ParseFromString(std::string(from_envelope(seen.body)->raw)));
  CHECK(sent.has_graceperiodseconds() && sent.graceperiodseconds() == 0);
  STRCMP_EQUAL("Orphan", sent.propagationpolicy().c_str());
  STRCMP_EQUAL("u", sent.preconditions().uid().c_str());
  respond(protobuf(200, envelope(config_map("one"))));
  auto leaving = remove();
  CHECK(leaving.has_value() && *leaving != nullptr);
}

TEST(HttpApiClient, errors_are_those_of_the_status) {
  auto details = std::make_shared<ErrorDetails>();
  details->kind = "pods";
  details->name = "x";
  details->retry_after_seconds = 3;
  details->causes = {{.reason = "DisruptionBudget", .message = "why", .field = "f"}};
  const Error error{Reason::TooManyRequests, "later", details};
  meta::Status status;
  to_status(error, status);
  const std::string text =
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"later",)"
      R"("reason":"TooManyRequests","details":{"name":"x","kind":"pods","retryAfterSeconds":3,)"
      R"("causes":[{"reason":"DisruptionBudget","message":"why","field":"f"}]},"code":429})";
  for (const std::string& body : {to_envelope("v1", "Status", status.SerializeAsString()), text}) {
    respond(protobuf(429, body));
    auto got = get(kinds::config_map(), "a/one");
    CHECK(!got.has_value());
    CHECK(got.error().reason == Reason::TooManyRequests);
    STRCMP_EQUAL("later", got.error().message.c_str());
    CHECK(got.error().details != nullptr);
    STRCMP_EQUAL("x", got.error().details->name.c_str());
    LONGS_EQUAL(3, got.error().details->retry_after_seconds);
    LONGS_EQUAL(1, got.error().details->causes.size());
    STRCMP_EQUAL("f", got.error().details->causes[0].field.c_str());
  }
}

TEST(HttpApiClient, answers_that_are_no_status_are_quoted) {
  struct Case {
    int status;
    const char* body;
    Reason reason;
    const char* says;
  };
  const Case cases[] = {
      {502, "<html>bad gateway", Reason::ServiceUnavailable, "502: \"<html>bad gateway\""},
      {404, "404 page not found", Reason::NotFound, "404 page not found"},
      {500, "", Reason::InternalError, "answered 500"},
      {200, "{\"kind\":\"ConfigMap\"}", Reason::BadRequest, "the server's answer"},
      {200, "", Reason::BadRequest, "the server's answer"},
      {401, R"({"kind":"Status","reason":"","code":401})", Reason::Unauthorized, "status 401"},
  };
  for (const Case& c : cases) {
    respond(protobuf(c.status, c.body));
    auto got = get(kinds::config_map(), "a/one");
    CHECK_TEXT(!got.has_value(), c.body);
    CHECK_TEXT(got.error().reason == c.reason, got.error().message.c_str());
    CHECK_TEXT(got.error().message.contains(c.says), got.error().message.c_str());
  }
  respond(protobuf(200, to_envelope("v1", "ConfigMap", "\xff\xff\xff")));
  CHECK(!get(kinds::config_map(), "a/one").has_value());
}

TEST(HttpApiClient, lists_page_after_page) {
  answer = [](std::unique_ptr<Exchange> exchange) {
    const std::string* token = exchange->target().parameter("continue");
    if (token == nullptr) {
      return exchange->respond(protobuf(
          200, list_of({config_map("one"), config_map("two")},
                       {.resource_version = "50", .continue_token = "t&1", .remaining = 1})));
    }
    exchange->respond(protobuf(200, list_of({config_map("three")}, {.resource_version = "50"})));
  };
  auto all = list({.name_space = "a", .label_selector = "x in (y)", .field_selector = "f=g"});
  CHECK(all.has_value());
  LONGS_EQUAL(3, all->items.size());
  LONGS_EQUAL(50, all->resource_version);
  STRCMP_EQUAL("three", all->items[2]->name.c_str());
  expect_target("GET",
                "/api/v1/namespaces/a/configmaps?labelSelector=x%20in%20%28y%29&fieldSelector=f%3Dg"
                "&limit=500&continue=t%261");
}

TEST(HttpApiClient, a_list_whose_pages_took_too_long_is_asked_for_whole) {
  int requests = 0;
  answer = [&](std::unique_ptr<Exchange> exchange) {
    ++requests;
    if (exchange->target().parameter("continue") != nullptr) {
      return exchange->respond(
          protobuf(410, envelope(Error{Reason::Expired, "the continue parameter is too old"})));
    }
    const bool whole = exchange->target().parameter("limit") == nullptr;
    exchange->respond(
        protobuf(200, list_of({config_map("one")}, {.resource_version = whole ? "60" : "50",
                                                    .continue_token = whole ? "" : "t"})));
  };
  auto all = list();
  CHECK(all.has_value());
  LONGS_EQUAL(1, all->items.size());
  LONGS_EQUAL(60, all->resource_version);
  LONGS_EQUAL(3, requests);
}

TEST(HttpApiClient, a_list_that_fails_says_so) {
  respond(protobuf(403, envelope(Error{Reason::Forbidden, "no"})));
  CHECK(list().error().reason == Reason::Forbidden);
  respond(protobuf(200, to_envelope("v1", "ConfigMapList", "\x12\x03\xff\xff\xff")));
  CHECK(!list().has_value());
}

TEST(HttpApiClient, says_what_is_wrong_with_its_settings) {
  const HttpApiClient::Parts parts{owner.loop(0), http, random};
  CHECK(HttpApiClient::make({.url = "nowhere"}, parts).error().message.contains("API server"));
  CHECK(HttpApiClient::make({.url = "https://x:1"}, parts).error().message.contains("no PEM"));
}

TEST(HttpApiClient, an_unreachable_server_is_unavailable) {
  server.reset();
  auto got = get(kinds::config_map(), "a/one");
  CHECK(got.error().reason == Reason::ServiceUnavailable);
}

TEST(HttpApiClient, shows_its_certificate) {
  const auto now = std::chrono::system_clock::now();
  auto authority = CertificateAuthority::make("ca", now);
  const std::string ca = authority->identity().certificate_pem;
  auto server_tls = make_tls_context(TlsServerConfig{
      .identity =
          *authority->issue({.common_name = "s", .names = {"127.0.0.1"}, .server = true}, now),
      .client_ca_pem = ca});
  std::string who;
  TestServer secure(threads,
                    [&](std::unique_ptr<Exchange> exchange) {
                      who = exchange->peer() ? exchange->peer()->common_name : "";
                      exchange->respond(protobuf(200, envelope(config_map("one"))));
                    },
                    {.tls = *server_tls});
  client = make_client({.url = "https://" + secure.address + "/base/",
                        .tls = {.ca_pem = ca,
                                .identity = *authority->issue(
                                    {.common_name = "system:node:n", .client = true}, now)}});
  CHECK(get(kinds::config_map(), "a/one").has_value());
  STRCMP_EQUAL("system:node:n", who.c_str());
  on_owner([this] { client.reset(); });
}

TEST(HttpApiClient, requests_given_up_are_not_answered) {
  Event asked;
  std::unique_ptr<Exchange> kept;
  answer = [&](std::unique_ptr<Exchange> exchange) {
    kept = std::move(exchange);
    asked.set();
  };
  std::atomic<int> answers = 0;
  on_owner(
      [&] { client->get(kinds::config_map(), "a/one", [&](Result<ObjectPtr>) { ++answers; }); });
  CHECK(asked.wait());
  on_owner([&] { client.reset(); });
  kept.reset();
  on_owner([] {});
  LONGS_EQUAL(0, answers.load());
}

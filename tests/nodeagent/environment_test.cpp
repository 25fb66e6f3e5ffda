// A container's variables: precedence, references, Services, and what is said when something is
// missing.
#include "nodeagent/environment.h"

#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/secret.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "tests/nodeagent/fake_node.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Environment) {
  ObjectIndex view;
  Revision revision = 0;
  PodPlace place{.pod_ips = {"10.88.0.5"},
                 .host_ip = "10.89.0.11",
                 .allocatable_cpu_millicores = 4'000,
                 .allocatable_memory_bytes = 8LL << 30};

  template <typename T>
  void put(const Kind& kind, const std::string& name, const std::string& text,
           const std::string& name_space = "default") {
    T message;
    CHECK(google::protobuf::TextFormat::ParseFromString(text, &message));
    message.mutable_metadata()->set_name(name);
    message.mutable_metadata()->set_namespace_(name_space);
    message.mutable_metadata()->set_uid(kind.plural.data() + name + name_space);
    message.mutable_metadata()->set_resourceversion(std::to_string(++revision));
    view.put(make_object(kind, message));
  }
  Result<Environment> make(const std::string& container,
                           const std::string& pod = "enableServiceLinks: false") {
    const auto built = pod_from_text("metadata { labels { key: \"app\" value: \"x\" } } spec { " +
                                     pod + " containers { " + container + " } }");
    return make_environment(*built, built->spec().containers(0), place, view);
  }
  std::string text(const Result<Environment>& environment) {
    if (!environment) return environment.error().message;
    std::string out;
    for (const auto& [name, value] : environment->variables) out += name + "=" + value + ";";
    return out;
  }
};

TEST(Environment, later_variables_may_refer_to_earlier_ones) {
  struct Case {
    const char* value;
    const char* expanded;
  };
  const Case cases[] = {{"$(A)-x", "1-x"},    {"$$(A)", "$(A)"}, {"$(NOPE)", "$(NOPE)"},
                        {"$A $(A", "$A $(A"}, {"$", "$"},        {"$(A)$(A)", "11"},
                        {"$$$(A)", "$1"},     {"", ""}};
  for (const Case& c : cases) {
    const auto got = make(fmt::format(
        "env {{ name: \"A\" value: \"1\" }} env {{ name: \"B\" value: \"{}\" }}", c.value));
    CHECK_EQUAL_TEXT(std::string("A=1;B=") + c.expanded + ";", text(got), c.value);
  }
}

TEST(Environment, env_stands_above_env_from_and_skips_what_is_no_name) {
  put<core::ConfigMap>(kinds::config_map(), "m", R"(data { key: "A" value: "map" }
    data { key: "B" value: "map" })");
  const auto got = make(R"(env { name: "A" value: "own" }
    envFrom { configMapRef { localObjectReference { name: "m" } } }
    envFrom { prefix: "P_" configMapRef { localObjectReference { name: "m" } } }
    envFrom { prefix: "=" configMapRef { localObjectReference { name: "m" } } })");
  CHECK_EQUAL(std::string("A=own;B=map;P_A=map;P_B=map;"), text(got));
  LONGS_EQUAL(1, got->skipped.size());
}

TEST(Environment, takes_keys_of_config_maps_and_secrets) {
  put<core::Secret>(kinds::secret(), "s", R"(data { key: "k" value: "hidden" })");
  CHECK_EQUAL(std::string("A=hidden;"), text(make(R"(env { name: "A" valueFrom { secretKeyRef {
    localObjectReference { name: "s" } key: "k" } } })")));
}

TEST(Environment, says_what_is_missing_unless_it_is_optional) {
  put<core::ConfigMap>(kinds::config_map(), "m", "");
  struct Case {
    const char* from;  // of variable A; or, with all, of everything
    bool all;
    const char* said;
  };
  const Case cases[] = {
      {"configMapKeyRef { localObjectReference { name: 'x' } key: 'k' }", false,
       "configmap \"x\" not found"},
      {"configMapKeyRef { localObjectReference { name: 'm' } key: 'k' }", false,
       "couldn't find key k in ConfigMap default/m"},
      {"secretKeyRef { localObjectReference { name: 'x' } key: 'k' }", false,
       "secret \"x\" not found"},
      {"secretKeyRef { localObjectReference { name: 'x' } key: 'k' optional: true }", false, ""},
      {"fieldRef { fieldPath: 'spec.bogus' }", false, "unsupported fieldPath: spec.bogus"},
      {"secretRef { localObjectReference { name: 'x' } }", true, "secret \"x\" not found"},
      {"secretRef { localObjectReference { name: 'x' } optional: true }", true, ""},
  };
  for (const Case& c : cases) {
    const std::string container =
        c.all ? fmt::format("envFrom {{ {} }}", c.from)
              : fmt::format("env {{ name: 'A' valueFrom {{ {} }} }}", c.from);
    CHECK_EQUAL_TEXT(std::string(c.said), text(make(container)), c.from);
  }
}

TEST(Environment, knows_the_pod_by_the_downward_api) {
  struct Case {
    const char* from;
    const char* value;
  };
  const Case cases[] = {
      {R"(fieldRef { fieldPath: "metadata.name" })", "web"},
      {R"(fieldRef { fieldPath: "metadata.labels['app']" })", "x"},
      {R"(fieldRef { fieldPath: "metadata.annotations['none']" })", ""},
      {R"(fieldRef { fieldPath: "status.podIP" })", "10.88.0.5"},
      {R"(fieldRef { fieldPath: "status.hostIP" })", "10.89.0.11"},
      {R"(resourceFieldRef { resource: "limits.cpu" })", "1"},
      {R"(resourceFieldRef { resource: "limits.cpu" divisor { string: "1m" } })", "250"},
      {R"(resourceFieldRef { resource: "limits.memory" divisor { string: "1Mi" } })", "8192"},
      {R"(resourceFieldRef { resource: "requests.memory" })", "0"},
  };
  for (const Case& c : cases) {
    const auto got =
        make(fmt::format("resources {{ limits {{ key: \"cpu\" value {{ string: \"250m\" }} }} }} "
                         "env {{ name: \"A\" valueFrom {{ {} }} }}",
                         c.from));
    CHECK_EQUAL_TEXT(std::string("A=") + c.value + ";", text(got), c.from);
  }
}

TEST(Environment, names_the_services_of_its_namespace) {
  put<core::Service>(kinds::service(), "my-db", R"(spec { clusterIP: "10.96.0.7"
    ports { name: "sql" port: 5432 protocol: "TCP" }
    ports { name: "mon" port: 9 protocol: "UDP" } })");
  put<core::Service>(kinds::service(), "headless",
                     R"(spec { clusterIP: "None" ports { port: 1 } })");
  put<core::Service>(kinds::service(), "other",
                     R"(spec { clusterIP: "10.96.0.8" ports { port: 1 } })", "elsewhere");
  CHECK_EQUAL(std::string("MY_DB_SERVICE_HOST=10.96.0.7;MY_DB_SERVICE_PORT=5432;"
                          "MY_DB_SERVICE_PORT_SQL=5432;MY_DB_SERVICE_PORT_MON=9;"
                          "MY_DB_PORT=tcp://10.96.0.7:5432;"
                          "MY_DB_PORT_5432_TCP=tcp://10.96.0.7:5432;MY_DB_PORT_5432_TCP_PROTO=tcp;"
                          "MY_DB_PORT_5432_TCP_PORT=5432;MY_DB_PORT_5432_TCP_ADDR=10.96.0.7;"
                          "MY_DB_PORT_9_UDP=udp://10.96.0.7:9;MY_DB_PORT_9_UDP_PROTO=udp;"
                          "MY_DB_PORT_9_UDP_PORT=9;MY_DB_PORT_9_UDP_ADDR=10.96.0.7;"),
              text(make("name: \"c\"", "enableServiceLinks: true")));
  CHECK_EQUAL(std::string(""), text(make("name: \"c\"")));
}

TEST(Environment, names_the_api_server_in_any_case) {
  put<core::Service>(kinds::service(), "kubernetes",
                     R"(spec { clusterIP: "10.96.0.1" ports { name: "https" port: 443 } })");
  CHECK(text(make("name: \"c\"")).starts_with("KUBERNETES_SERVICE_HOST=10.96.0.1;"));
}

TEST(Environment, a_variable_of_its_own_stands_above_a_services) {
  put<core::Service>(kinds::service(), "db",
                     R"(spec { clusterIP: "10.96.0.7" ports { port: 1 } })");
  const auto got = make(
      R"x(env { name: "DB_SERVICE_HOST" value: "mine" }
      env { name: "URL" value: "$(DB_SERVICE_PORT)" })x",
      "enableServiceLinks: true");
  CHECK_EQUAL(std::string("mine"), *got->find("DB_SERVICE_HOST"));
  CHECK_EQUAL(std::string("1"), *got->find("URL"));
}

// What kubectl itself writes is read without a word, and written by us exactly as kubectl does.
// Goal: the JSON rules (what is omitted, what never is, canonical quantities) against Go's own.
// Method: kubectl's generators without a server.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <boost/json/value.hpp>

#include "api/json.h"
#include "api/openapi_schema.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>/dev/null").c_str(), "r"),
                                             ::pclose);
  std::string text;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) {
    text.append(buffer, n);
  }
  return text;
}

bool has_kubectl() {
  if (output_of("kubectl version --client").contains("Client Version")) return true;
  std::printf("\nskipped: there is no kubectl\n");
  return false;
}

// The message's JSON with what names its kind, as kubectl puts it.
json::value rewritten(json::object tree) {
  const std::string api_version(tree.at("apiVersion").as_string());
  const std::string kind(tree.at("kind").as_string());
  const auto slash = api_version.find('/');
  const bool is_core = slash == std::string::npos;
  const auto* descriptor = find_message(is_core ? "" : api_version.substr(0, slash),
                                        api_version.substr(is_core ? 0 : slash + 1), kind);
  CHECK_TEXT(descriptor != nullptr, kind.c_str());
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  std::vector<std::string> unknown;
  auto read = message_from_json(tree, *message, unknown);
  CHECK_TEXT(read.has_value(), read ? "" : read.error().message.c_str());
  CHECK_TEXT(unknown.empty(), unknown.empty() ? "" : unknown[0].c_str());
  json::object json = message_to_json(*message);
  json["apiVersion"] = api_version;
  json["kind"] = kind;
  return json;
}

}  // namespace

TEST_GROUP(Kubectl){};

TEST(Kubectl, writes_what_we_write) {
  if (!has_kubectl()) return;
  for (const char* generator : {
           "create configmap c --from-literal=a='<&>' --from-literal=b=",
           "create cronjob c --image=i --schedule='@daily'",
           "create deployment d --image=i --replicas=2 --port=80",
           "create ingress i --rule=a/b=svc:80",
           "create job j --image=i",
           "create namespace n",
           "create poddisruptionbudget p --selector=a=b --min-available=50%",
           "create priorityclass p --value=5",
           "create quota q --hard=cpu=1000m,memory=1024Mi",
           "create secret generic s --from-literal=a=b",
           "create service nodeport s --tcp=80:http",
           "create service externalname s --external-name=a.b",
           "create serviceaccount s",
       }) {
    const std::string command = std::string("kubectl ") + generator + " --dry-run=client -o ";
    auto from_json = parse_json(output_of(command + "json"));
    CHECK_TEXT(from_json.has_value(), generator);
    const json::value ours = rewritten(from_json->tree.as_object());
    if (!(from_json->tree == ours)) {
      FAIL((std::string(generator) + "\n" + to_text(from_json->tree) + "\n" + to_text(ours))
               .c_str());
    }
    auto from_yaml = parse_yaml(output_of(command + "yaml"));
    CHECK_TEXT(from_yaml.has_value(), generator);
    CHECK_TEXT(from_yaml->tree == from_json->tree, generator);
  }
}

// The Writer that controllers and the scheduler write by.
#include "control/registry/registry_writer.h"

#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/namespace.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(RegistryWriter) {
  RegistryFixture api;
  RegistryWriter writer{*api.registry, "system:kube-controller-manager", "kube-controller-manager"};

  core::Pod pod(const char* name) {
    core::Pod message;
    message.mutable_metadata()->set_name(name);
    message.mutable_metadata()->set_namespace_("default");
    auto& container = *message.mutable_spec()->add_containers();
    container.set_name("c");
    container.set_image("i");
    return message;
  }
};

TEST(RegistryWriter, creates_with_everything_a_requester_gets) {
  core::Pod message = pod("");
  message.mutable_metadata()->set_generatename("web-");
  const auto made = writer.create(kinds::pod(), message);
  CHECK_TRUE(made.has_value());
  LONGS_EQUAL(9, (*made)->name.size());
  STRCMP_EQUAL("\"default\"", at(*made, "/spec/serviceAccountName").c_str());
  STRCMP_EQUAL("", message.metadata().name().c_str());  // the caller's stays as it was
  CHECK_TRUE(api.store->view().get(kinds::pod(), "default", (*made)->name) != nullptr);
}

TEST(RegistryWriter, updates_under_the_lock_of_the_message) {
  const auto made = writer.create(kinds::pod(), pod("p"));
  auto message = decode<core::Pod>(**made);
  (*message.mutable_metadata()->mutable_labels())["a"] = "b";
  CHECK_TRUE(writer.update(kinds::pod(), message).has_value());
  const auto stale = writer.update(kinds::pod(), message);
  CHECK_TRUE(!stale && stale.error().reason == Reason::Conflict);
  message.mutable_metadata()->clear_resourceversion();
  message.mutable_status()->set_phase("Running");
  const auto status = writer.update_status(kinds::pod(), message);
  STRCMP_EQUAL("\"Running\"", at(*status, "/status/phase").c_str());
  STRCMP_EQUAL("\"b\"", at(*status, "/metadata/labels/a").c_str());
}

TEST(RegistryWriter, binds_removes_and_finalizes) {
  const auto made = writer.create(kinds::pod(), pod("p"));
  CHECK_TRUE(!writer.bind("default/p", "another", "n1"));
  CHECK_TRUE(writer.bind("default/p", (*made)->uid, "n1").has_value());
  const auto again = writer.bind("default/p", (*made)->uid, "n2");
  CHECK_TRUE(!again && again.error().reason == Reason::Conflict);
  CHECK_TRUE(writer.remove(kinds::pod(), "default/p", {.grace_period_seconds = 0}).has_value());
  const auto gone = writer.remove(kinds::pod(), "default/p", {});
  CHECK_TRUE(!gone && gone.error().reason == Reason::NotFound);

  api.make_namespace("mine");
  CHECK_TRUE(writer.remove(kinds::name_space(), "mine", {}).has_value());
  auto mine = decode<core::Namespace>(*api.find("namespaces mine"));
  mine.mutable_spec()->clear_finalizers();
  CHECK_TRUE(writer.finalize(mine).has_value());
  POINTERS_EQUAL(nullptr, api.find("namespaces mine").get());
}

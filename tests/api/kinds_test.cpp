// The table of kinds: every row can be found, and is consistent with its schema.
#include "api/kinds.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>

#include "api/proto/core/v1/event.pb.h"
#include "api/proto/events/v1.pb.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Kinds){};

TEST(Kinds, are_found_by_url_and_by_body) {
  for (const Kind* kind : all_kinds()) {
    const std::string name = kind->api_version() + " " + std::string(kind->kind);
    POINTERS_EQUAL_TEXT(kind, find_resource(kind->group, kind->version, kind->plural),
                        name.c_str());
    POINTERS_EQUAL_TEXT(kind, find_kind(kind->api_version(), kind->kind), name.c_str());
  }
  POINTERS_EQUAL(nullptr, find_resource("", "v1", "deployments"));
  POINTERS_EQUAL(nullptr, find_resource("apps", "v2", "deployments"));
  POINTERS_EQUAL(nullptr, find_kind("v1", "Deployment"));
  POINTERS_EQUAL(nullptr, find_kind("", ""));
  POINTERS_EQUAL(nullptr, find_kind("/", "Pod"));
  POINTERS_EQUAL(&kinds::pod(), find_kind("v1", "Pod"));
}

TEST(Kinds, agree_with_their_schema) {
  std::set<std::string> names;
  for (const Kind* kind : all_kinds()) {
    const auto& descriptor = *kind->prototype->GetDescriptor();
    CHECK_EQUAL(std::string(kind->kind), descriptor.name());
    CHECK_TEXT(names.insert(std::string(kind->group) + "/" + std::string(kind->plural)).second,
               "two rows of one resource");
    // A subresource "status" is of kinds that have one.
    CHECK_EQUAL_TEXT(descriptor.FindFieldByName("status") != nullptr,
                     kind->subresource("status") != nullptr, descriptor.full_name().c_str());
    const auto empty = kind->make_message();
    for (const SelectableField& field : kind->selectable_fields) {
      CHECK_TEXT(field.value(*empty).size() <= 5, "an empty object has no values");
    }
  }
}

TEST(Kinds, store_one_event_for_both_forms) {
  const Kind& served = kinds::event_v1();
  POINTERS_EQUAL(&kinds::event(), &served.storage());
  POINTERS_EQUAL(&kinds::pod(), &kinds::pod().storage());
  LONGS_EQUAL(served.selectable_fields.size(), served.storage().selectable_fields.size());

  events::Event event;
  event.mutable_metadata()->set_name("web.1");
  event.mutable_regarding()->set_name("web");
  event.set_reason("Started");
  event.set_note("Started container web");
  event.set_type("Normal");
  event.set_reportingcontroller("kubelet");
  event.mutable_series()->set_count(3);
  core::Event stored;
  served.to_stored(event, stored);
  CHECK_EQUAL(std::string("Started container web"), stored.message());
  CHECK_EQUAL(std::string("web"), stored.involvedobject().name());
  CHECK_EQUAL(std::string("kubelet"), stored.reportingcomponent());
  for (std::size_t i = 0; i < served.selectable_fields.size(); ++i) {
    CHECK_EQUAL(served.selectable_fields[i].value(event),
                served.storage().selectable_fields[i].value(stored));
  }
  events::Event back;
  served.from_stored(stored, back);
  CHECK_EQUAL(std::string("web.1"), back.metadata().name());
  CHECK_EQUAL(event.note(), back.note());
  LONGS_EQUAL(3, back.series().count());
}

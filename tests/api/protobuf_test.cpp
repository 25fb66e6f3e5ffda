// The protobuf wire form: envelopes, lists, frames, and messages as Go clients send them.
#include "api/protobuf.h"

#include <google/protobuf/util/message_differencer.h>

#include "api/json.h"
#include "api/object.h"
#include "api/proto/apps/v1.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/proto/meta/v1/watch.pb.h"
#include "api/proto/runtime/runtime.pb.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Protobuf){};

TEST(Protobuf, wraps_a_message_as_kubernetes_does) {
  core::Pod pod;
  pod.mutable_metadata()->set_name("web");
  const std::string bytes = to_envelope("v1", "Pod", pod.SerializeAsString());
  CHECK(is_envelope(bytes));
  CHECK_EQUAL(std::string("k8s\0", 4), bytes.substr(0, 4));
  runtime::Unknown unknown;
  CHECK(unknown.ParseFromString(bytes.substr(4)));
  CHECK_EQUAL(std::string("v1"), unknown.typemeta().apiversion());
  CHECK_EQUAL(std::string("Pod"), unknown.typemeta().kind());
  CHECK_EQUAL(pod.SerializeAsString(), unknown.raw());

  auto envelope = from_envelope(bytes);
  CHECK(envelope.has_value());
  CHECK_EQUAL(std::string("v1"), envelope->api_version);
  CHECK_EQUAL(std::string("Pod"), envelope->kind);
  CHECK_EQUAL(pod.SerializeAsString(), std::string(envelope->raw));
}

TEST(Protobuf, refuses_what_is_no_envelope) {
  const std::string whole = to_envelope("v1", "Pod", "abc");
  for (const std::string& bytes :
       {std::string(), std::string("k8s"), std::string("{}"), std::string("k8s\0\xff", 5),
        whole.substr(0, whole.size() - 1), whole.substr(0, 9)}) {
    auto envelope = from_envelope(bytes);
    CHECK_FALSE(envelope.has_value());
    CHECK(envelope.error().reason == Reason::BadRequest);
  }
}

TEST(Protobuf, appends_a_list_from_the_bytes_of_its_items) {
  core::PodList expected;
  expected.mutable_metadata()->set_resourceversion("7");
  std::string raw;
  append_list_metadata(raw, expected.metadata().SerializeAsString());
  for (const char* name : {"a", "b", "c"}) {
    core::Pod& pod = *expected.add_items();
    pod.mutable_metadata()->set_name(name);
    append_list_item(raw, pod.SerializeAsString());
  }
  CHECK_EQUAL(expected.SerializeAsString(), raw);
}

TEST(Protobuf, frames_an_event_of_a_watch) {
  const std::string envelope = to_envelope("v1", "Pod", std::string(300, 'x'));
  const std::string frame = watch_frame("ADDED", envelope);
  meta::WatchEvent event;
  CHECK(event.ParseFromString(frame.substr(4)));
  CHECK_EQUAL(std::string("ADDED"), event.type());
  CHECK_EQUAL(envelope, event.object().raw());

  auto parsed = parse_watch_frame(frame + "rest", 1'000);
  CHECK(parsed.has_value());
  CHECK_EQUAL(std::string("ADDED"), parsed->type);
  CHECK_EQUAL(envelope, parsed->envelope);
  LONGS_EQUAL(frame.size(), parsed->consumed);
}

TEST(Protobuf, waits_for_the_rest_of_a_frame_and_refuses_one_that_cannot_be) {
  const std::string frame = watch_frame("ADDED", "abc");
  for (std::size_t size = 0; size < frame.size(); ++size) {
    auto parsed = parse_watch_frame(frame.substr(0, size), 1'000);
    CHECK_FALSE(parsed.has_value());
    CHECK(parsed.error().reason == Reason::NotFound);
  }
  CHECK(parse_watch_frame(frame, frame.size() - 5).error().reason == Reason::BadRequest);
  CHECK(parse_watch_frame("\xff\xff\xff\xff", 1'000).error().reason == Reason::BadRequest);
  std::string damaged = frame;
  damaged[5] = '\x7f';  // the type's length
  CHECK(parse_watch_frame(damaged, 1'000).error().reason == Reason::BadRequest);
}

TEST(Protobuf, brings_what_a_go_client_sends_to_normal_form) {
  // Go writes every field that is no pointer, zero or not.
  core::Service sent;
  auto& metadata = *sent.mutable_metadata();
  metadata.set_name("s");
  metadata.set_uid("");
  metadata.set_generation(0);
  metadata.mutable_creationtimestamp();
  auto& port = *sent.mutable_spec()->add_ports();
  port.set_port(80);
  port.set_nodeport(0);
  port.mutable_targetport()->set_type(0);
  port.mutable_targetport()->set_intval(8080);
  port.mutable_targetport()->set_strval("");
  sent.mutable_spec()->set_allocateloadbalancernodeports(false);  // a pointer: false is not absent
  sent.mutable_spec()->set_externalname("");
  sent.mutable_status()->mutable_loadbalancer();

  core::Service wanted;
  wanted.mutable_metadata()->set_name("s");
  wanted.mutable_spec()->add_ports()->set_port(80);
  wanted.mutable_spec()->mutable_ports(0)->mutable_targetport()->set_intval(8080);
  wanted.mutable_spec()->set_allocateloadbalancernodeports(false);

  core::Service got;
  CHECK(message_from_protobuf(sent.SerializeAsString(), got).has_value());
  CHECK_EQUAL(wanted.DebugString(), got.DebugString());
}

TEST(Protobuf, writes_quantities_and_times_in_the_form_they_are_kept_in) {
  core::Pod pod;
  auto& limits = *pod.mutable_spec()->add_containers()->mutable_resources()->mutable_limits();
  limits["cpu"].set_string("1000m");
  limits["memory"];
  pod.mutable_status()->mutable_starttime()->set_seconds(5);
  pod.mutable_status()->mutable_starttime()->set_nanos(7);
  CHECK(normalize(pod).has_value());
  CHECK_EQUAL(std::string("1"), limits["cpu"].string());
  CHECK_EQUAL(std::string("0"), limits["memory"].string());
  CHECK_FALSE(pod.status().starttime().has_nanos());
  LONGS_EQUAL(5, pod.status().starttime().seconds());
}

TEST(Protobuf, refuses_values_that_cannot_be) {
  auto refused = [](auto change) {
    core::Pod pod;
    change(pod);
    core::Pod got;
    auto read = message_from_protobuf(pod.SerializeAsString(), got);
    return !read && read.error().reason == Reason::BadRequest;
  };
  CHECK(refused(
      [](core::Pod& pod) { (*pod.mutable_spec()->mutable_overhead())["cpu"].set_string("much"); }));
  CHECK(refused([](core::Pod& pod) {
    pod.mutable_metadata()->add_managedfields()->mutable_fieldsv1()->set_raw("{");
  }));
  CHECK(refused([](core::Pod& pod) {
    pod.mutable_metadata()->mutable_creationtimestamp()->set_seconds(300'000'000'000);
  }));
  CHECK(refused([](core::Pod& pod) {
    auto& probe = *pod.mutable_spec()->add_containers()->mutable_livenessprobe();
    probe.mutable_handler()->mutable_tcpsocket()->mutable_port()->set_type(2);
  }));
  CHECK(refused([](core::Pod& pod) { pod.mutable_spec()->set_nodename("\xff"); }));
}

TEST(Protobuf, drops_unknown_fields_even_with_a_known_number) {
  core::Pod got;
  // Field 1 of Pod (metadata) as a number, and field 99.
  CHECK(message_from_protobuf("\x08\x05\x9a\x06\x01x", got).has_value());
  CHECK_EQUAL(std::string(), got.SerializeAsString());
}

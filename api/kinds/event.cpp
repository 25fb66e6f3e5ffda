// Event: what happened to an object, for people. One kind in two forms: core/v1, in which it is
// kept, and events.k8s.io/v1. API-BEHAVIOUR §13.
#include <utility>

#include "api/proto/core/v1/event.pb.h"
#include "api/proto/events/v1.pb.h"
#include "api/row.h"

namespace keelson {
namespace {

void to_core(const Message& served, Message& stored) {
  const auto& from = as<events::Event>(served);
  auto& to = as<core::Event>(stored);
  to.Clear();
  *to.mutable_metadata() = from.metadata();
  *to.mutable_involvedobject() = from.regarding();
  to.set_reason(from.reason());
  to.set_message(from.note());
  *to.mutable_source() = from.deprecatedsource();
  *to.mutable_firsttimestamp() = from.deprecatedfirsttimestamp();
  *to.mutable_lasttimestamp() = from.deprecatedlasttimestamp();
  to.set_count(from.deprecatedcount());
  to.set_type(from.type());
  *to.mutable_eventtime() = from.eventtime();
  if (from.has_series()) {
    to.mutable_series()->set_count(from.series().count());
    *to.mutable_series()->mutable_lastobservedtime() = from.series().lastobservedtime();
  }
  to.set_action(from.action());
  if (from.has_related()) *to.mutable_related() = from.related();
  to.set_reportingcomponent(from.reportingcontroller());
  to.set_reportinginstance(from.reportinginstance());
}

void from_core(const Message& stored, Message& served) {
  const auto& from = as<core::Event>(stored);
  auto& to = as<events::Event>(served);
  to.Clear();
  *to.mutable_metadata() = from.metadata();
  *to.mutable_eventtime() = from.eventtime();
  if (from.has_series()) {
    to.mutable_series()->set_count(from.series().count());
    *to.mutable_series()->mutable_lastobservedtime() = from.series().lastobservedtime();
  }
  to.set_reportingcontroller(from.reportingcomponent());
  to.set_reportinginstance(from.reportinginstance());
  to.set_action(from.action());
  to.set_reason(from.reason());
  *to.mutable_regarding() = from.involvedobject();
  if (from.has_related()) *to.mutable_related() = from.related();
  to.set_note(from.message());
  to.set_type(from.type());
  *to.mutable_deprecatedsource() = from.source();
  *to.mutable_deprecatedfirsttimestamp() = from.firsttimestamp();
  *to.mutable_deprecatedlasttimestamp() = from.lasttimestamp();
  to.set_deprecatedcount(from.count());
}

// Both forms are selected by the same values in the same order, each under its own names.
struct Selectable {
  std::string_view core_name, events_name;
  std::string (*value)(const core::Event&);
};
constexpr Selectable selectable[] = {
    {"involvedObject.kind", "regarding.kind",
     [](const core::Event& e) { return e.involvedobject().kind(); }},
    {"involvedObject.namespace", "regarding.namespace",
     [](const core::Event& e) { return e.involvedobject().namespace_(); }},
    {"involvedObject.name", "regarding.name",
     [](const core::Event& e) { return e.involvedobject().name(); }},
    {"involvedObject.uid", "regarding.uid",
     [](const core::Event& e) { return e.involvedobject().uid(); }},
    {"involvedObject.apiVersion", "regarding.apiVersion",
     [](const core::Event& e) { return e.involvedobject().apiversion(); }},
    {"involvedObject.resourceVersion", "regarding.resourceVersion",
     [](const core::Event& e) { return e.involvedobject().resourceversion(); }},
    {"involvedObject.fieldPath", "regarding.fieldPath",
     [](const core::Event& e) { return e.involvedobject().fieldpath(); }},
    {"reason", "reason", [](const core::Event& e) { return e.reason(); }},
    {"reportingComponent", "reportingController",
     [](const core::Event& e) { return e.reportingcomponent(); }},
    {"source", "source",
     [](const core::Event& e) {
       return e.source().component().empty() ? e.reportingcomponent() : e.source().component();
     }},
    {"type", "type", [](const core::Event& e) { return e.type(); }},
};
using Indexes = std::make_index_sequence<std::size(selectable)>;

template <std::size_t... I>
std::vector<SelectableField> core_fields(std::index_sequence<I...>) {
  return {{selectable[I].core_name,
           [](const Message& m) { return selectable[I].value(as<core::Event>(m)); }}...};
}

template <std::size_t... I>
std::vector<SelectableField> events_fields(std::index_sequence<I...>) {
  return {{selectable[I].events_name, [](const Message& m) {
             core::Event event;
             to_core(m, event);
             return selectable[I].value(event);
           }}...};
}

}  // namespace

const Kind& kinds::event() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Event",
      .plural = "events",
      .singular = "event",
      .short_names = {"ev"},
      .prototype = &core::Event::default_instance(),
      .selectable_fields = core_fields(Indexes()),
      .create_on_update = true,
  };
  return row;
}

const Kind& kinds::event_v1() {
  static const Kind row = {
      .group = "events.k8s.io",
      .version = "v1",
      .kind = "Event",
      .plural = "events",
      .singular = "event",
      .short_names = {"ev"},
      .stored_as = &event(),
      .to_stored = to_core,
      .from_stored = from_core,
      .prototype = &events::Event::default_instance(),
      .selectable_fields = events_fields(Indexes()),
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson

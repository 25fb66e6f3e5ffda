// Event: what happened to an object, for people. One kind in two forms: core/v1, in which it is
// kept, and events.k8s.io/v1. API-BEHAVIOUR §13.
#include "api/proto/core/v1/event.pb.h"

#include <algorithm>
#include <utility>

#include "api/cells.h"
#include "api/names.h"
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

// Source: the rules of k8s.io/kubernetes pkg/apis/core/validation/events.go (1.32).
constexpr std::size_t word_max = 128, note_max = 1024;

void check_length(const char* field, const std::string& text, std::size_t max,
                  FieldErrors& errors) {
  if (text.size() <= max) return;
  errors.invalid(FieldPath(field), "", fmt::format("can have at most {} characters", max));
}

void check_word(const char* field, const std::string& text, FieldErrors& errors) {
  if (text.empty()) errors.required(FieldPath(field));
  check_length(field, text, word_max, errors);
}

// Events of the newer form have an eventTime, whichever door they come by.
void check_new_form(const core::Event& event, const char* reporter, FieldErrors& errors) {
  if (event.reportingcomponent().empty()) errors.required(FieldPath(reporter));
  check_value(FieldPath(reporter), event.reportingcomponent(), check_qualified_name, errors);
  check_word("reportingInstance", event.reportinginstance(), errors);
  check_word("action", event.action(), errors);
  check_word("reason", event.reason(), errors);
  check_length("message", event.message(), note_max, errors);
}

// Cluster objects' events lie in default, and in kube-system.
bool is_of_its_namespace(const core::Event& event) {
  const std::string& name_space = event.metadata().namespace_();
  const std::string& involved = event.involvedobject().namespace_();
  const bool is_new = event.eventtime().seconds() != 0;
  if (!involved.empty()) return is_new || involved == name_space;
  return name_space.empty() || name_space == "default" || (is_new && name_space == "kube-system");
}

void check_event(const core::Event& event, const char* reporter, FieldErrors& errors) {
  if (!is_of_its_namespace(event)) {
    errors.invalid(FieldPath("involvedObject") / "namespace", event.involvedobject().namespace_(),
                   "does not match event.namespace");
  }
  if (event.eventtime().seconds() != 0) check_new_form(event, reporter, errors);
}

void validate(const Message& message, FieldErrors& errors) {
  check_event(as<core::Event>(message), "reportingComponent", errors);
}

void validate_events(const Message& message, FieldErrors& errors) {
  const auto& served = as<events::Event>(message);
  core::Event event;
  to_core(message, event);
  check_event(event, "reportingController", errors);
  if (served.eventtime().seconds() == 0) errors.required(FieldPath("eventTime"));
  if (served.type() != "Normal" && served.type() != "Warning") {
    errors.invalid(FieldPath("type"), "", "has invalid value: " + served.type());
  }
  const std::pair<const char*, bool> deprecated[] = {
      {"deprecatedFirstTimestamp", served.deprecatedfirsttimestamp().seconds() != 0},
      {"deprecatedLastTimestamp", served.deprecatedlasttimestamp().seconds() != 0},
      {"deprecatedCount", served.deprecatedcount() != 0},
      {"deprecatedSource", !served.deprecatedsource().component().empty() ||
                               !served.deprecatedsource().host().empty()}};
  for (const auto& [field, is_set] : deprecated) {
    if (is_set) errors.invalid(FieldPath(field), "", "needs to be unset");
  }
}

std::string source_cell(const core::Event& event) {
  const std::string& component =
      event.source().component().empty() ? event.reportingcomponent() : event.source().component();
  const std::string& host =
      event.source().host().empty() ? event.reportinginstance() : event.source().host();
  return host.empty() ? component : component + ", " + host;
}

std::string object_cell(const core::Event& event) {
  std::string kind = event.involvedobject().kind();
  std::ranges::transform(kind, kind.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string& name = event.involvedobject().name();
  return name.empty() ? kind : kind + "/" + name;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& event = as<core::Event>(message);
  const std::string first = event.firsttimestamp().seconds() != 0
                                ? since_cell(event.firsttimestamp(), now)
                                : since_cell(event.eventtime(), now);
  std::string last =
      event.lasttimestamp().seconds() != 0 ? since_cell(event.lasttimestamp(), now) : first;
  std::int64_t count = std::max(event.count(), 1);
  if (event.has_series()) {
    last = since_cell(event.series().lastobservedtime(), now);
    count = event.series().count();
  }
  return {last,
          event.type(),
          event.reason(),
          object_cell(event),
          event.involvedobject().fieldpath(),
          source_cell(event),
          trimmed(event.message()),
          first,
          count,
          event.metadata().name()};
}

std::vector<Cell> events_cells(const Message& message, WallTime now) {
  core::Event event;
  to_core(message, event);
  return cells(event, now);
}

std::vector<Column> columns() {
  return {{.name = "Last Seen", .description = "When it happened last."},
          {.name = "Type", .description = "Normal, or Warning."},
          {.name = "Reason", .description = "What happened, in a word."},
          {.name = "Object", .description = "To what."},
          {.name = "Subobject", .description = "To which part of it.", .priority = 1},
          {.name = "Source", .description = "Who says so.", .priority = 1},
          {.name = "Message", .description = "What happened, for people."},
          {.name = "First Seen", .description = "When it happened first.", .priority = 1},
          {.name = "Count", .description = "How often.", .priority = 1},
          {.name = "Name", .format = "name", .description = "The event's own.", .priority = 1}};
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
      .columns = columns(),
      .row = cells,
      .validate = validate,
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
      .columns = columns(),
      .row = events_cells,
      .validate = validate_events,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson

// What a kind is: one row of data and a few functions. Routes, discovery, OpenAPI, tables, storage
// and client types all follow from the rows; adding a kind is one file in api/kinds/ and its line
// in kinds.cpp (and below, if other rooms mean it by name).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/field_errors.h"
#include "api/object.h"
#include "api/types.h"

namespace keelson {

enum class Scope { Namespaced, Cluster };

// What metadata.name may be. Source: API-BEHAVIOUR §7.
enum class NameRule { DnsSubdomain, DnsLabel, Dns1035Label, PathSegment };

// A column of `kubectl get`. priority 1 shows with -o wide only.
struct Column {
  std::string_view name;
  std::string_view type = "string";  // OpenAPI: "string" or "integer"
  std::string_view format = {};      // "name" for the first column
  std::string_view description = {};
  int priority = 0;
};
using Cell = std::variant<std::string, std::int64_t>;

// A field beyond metadata.name and metadata.namespace that fieldSelector knows.
struct SelectableField {
  std::string_view path;  // "spec.nodeName"
  std::string (*value)(const Message&);
  bool indexed = false;  // View::with_field is asked for it
};

struct Subresource {
  std::string_view name;                // "status", "scale", "log"
  std::vector<std::string_view> verbs;  // discovery verbs: "get", "update", "patch", "create"
  std::string_view group = {}, version = {}, kind = {};  // of what it carries; empty: the parent's
};

struct Kind {
  std::string_view group;  // "" is core
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  std::string_view singular;
  std::vector<std::string_view> short_names = {};
  std::vector<std::string_view> categories = {};
  Scope scope = Scope::Namespaced;
  NameRule name_rule = NameRule::DnsSubdomain;
  // Served in this form, kept in another row's (the Event of events.k8s.io is core's): what comes
  // in and goes out is converted. Null: kept as it is. selectable_fields and columns then stand in
  // the order of that row's.
  const Kind* stored_as = nullptr;
  void (*to_stored)(const Message& served, Message& stored) = nullptr;
  void (*from_stored)(const Message& stored, Message& served) = nullptr;
  const Message* prototype = nullptr;  // the message type's default instance
  std::vector<std::string_view> verbs = {"create", "delete", "deletecollection", "get",
                                         "list",   "patch",  "update",           "watch"};
  std::vector<Subresource> subresources = {};
  std::vector<SelectableField> selectable_fields = {};
  std::vector<Column> columns = {};  // empty: Name and Created At
  std::vector<Cell> (*row)(const Message&, WallTime now) = nullptr;

  // The functions of a write, in the order the registry calls them; null does nothing.
  void (*set_defaults)(Message&) = nullptr;
  void (*prepare_create)(Message&) = nullptr;  // e.g. clears status, sets the first phase
  // What an update of the main resource may not touch is taken from `before` (status above all).
  void (*prepare_update)(const Message& before, Message& after) = nullptr;
  void (*prepare_status_update)(const Message& before, Message& after) = nullptr;
  void (*validate)(const Message&,
                   FieldErrors&) = nullptr;  // on create, and of the result of an update
  void (*validate_update)(const Message& before, const Message& after, FieldErrors&) = nullptr;
  void (*validate_status_update)(const Message& before, const Message& after,
                                 FieldErrors&) = nullptr;
  // Texts for Warning headers: deprecated, or accepted and not honoured.
  void (*warn)(const Message&, std::vector<std::string>&) = nullptr;

  std::unique_ptr<const Facts> (*facts)(const Message&) = nullptr;
  bool has_generation = false;       // metadata.generation counts changes of spec
  bool unconditional_update = true;  // an update without resourceVersion is allowed
  bool create_on_update =
      false;  // PUT of a name that does not exist creates it (Lease, Endpoints, …)
  // metadata.deletionGracePeriodSeconds a delete without one gets; null: 0. Negative asks for
  // removal at once (a pod on no node).
  std::int64_t (*grace_period_seconds)(const Message&) = nullptr;
  bool orphans_by_default =
      false;  // a delete without a policy orphans (Job, ReplicationController)

  std::string api_version() const;         // "v1", "apps/v1"
  std::string qualified_resource() const;  // "pods", "deployments.apps": how messages name it
  bool namespaced() const { return scope == Scope::Namespaced; }
  const Kind& storage() const { return stored_as ? *stored_as : *this; }
  bool has_verb(std::string_view verb) const;
  const Subresource* subresource(std::string_view name) const;
  std::unique_ptr<Message> make_message() const;
};

// Every kind there is, in the order of discovery. The rows live as long as the process.
std::span<const Kind* const> all_kinds();
// By URL: group, version and plural. Null if there is none.
const Kind* find_resource(std::string_view group, std::string_view version,
                          std::string_view plural);
// By body: apiVersion ("apps/v1") and kind.
const Kind* find_kind(std::string_view api_version, std::string_view kind);

// The rows by name, for rooms that mean one kind in particular: kinds::pod().
namespace kinds {
const Kind& config_map();
const Kind& deployment();
const Kind& endpoint_slice();
const Kind& endpoints();
const Kind& event();
const Kind& event_v1();  // events.k8s.io/v1; stored as event()
const Kind& lease();
const Kind& name_space();
const Kind& node();
const Kind& pod();
const Kind& priority_class();
const Kind& replica_set();
const Kind& secret();
const Kind& service();
const Kind& service_account();
}  // namespace kinds

}  // namespace keelson

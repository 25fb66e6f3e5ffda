// kubectl.kubernetes.io/last-applied-configuration: where kubectl's client-side apply keeps what it
// applied, and what its server-side apply makes of that.
#pragma once

#include "api/field_set.h"
#include "api/json.h"
#include "api/object.h"

namespace keelson {

// The manager that the annotation belongs to; another name opts out.
inline constexpr std::string_view kubectl_manager = "kubectl";

// The configuration that is kept in an object; null: none, or none of this kind and version.
json::value last_applied_of(const Kind& kind, const Message& object);

// What it says and is still so in the object's bytes: that may be taken from any manager. The set
// points into the configuration and the pool.
FieldSet still_as_applied(const Kind& kind, const json::value& last_applied,
                          std::string_view object_bytes, TextPool& pool);

// If the object keeps one, it shall be this.
void keep_as_last_applied(const json::object& configuration, Message& object);

}  // namespace keelson

// What rows have in common: typed messages, and what the two doors of a write (the object and its
// status) may not touch.
#pragma once

#include <google/protobuf/message.h>

#include "api/kinds.h"

namespace keelson {

// Row functions are called with messages of their own kind's prototype, never another.
template <typename T>
const T& as(const Message& message) {
  return static_cast<const T&>(message);
}
template <typename T>
T& as(Message& message) {
  return static_cast<T&>(message);
}

inline const std::vector<std::string_view> status_verbs = {"get", "patch", "update"};

// Create: status is the controllers' to write.
template <typename T>
void drop_status(Message& message) {
  as<T>(message).clear_status();
}

// Update of the object: status stays.
template <typename T>
void keep_status(const Message& before, Message& after) {
  if (as<T>(before).has_status()) {
    *as<T>(after).mutable_status() = as<T>(before).status();
  } else {
    as<T>(after).clear_status();
  }
}

// Update of /status: spec stays.
template <typename T>
void keep_spec(const Message& before, Message& after) {
  if (as<T>(before).has_spec()) {
    *as<T>(after).mutable_spec() = as<T>(before).spec();
  } else {
    as<T>(after).clear_spec();
  }
}

}  // namespace keelson

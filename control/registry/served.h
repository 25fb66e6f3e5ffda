// Kinds that are served in one form and kept in another (events.k8s.io/v1 Event is kept as core's):
// what comes in and goes out is converted, and in between nobody knows.
#pragma once

#include <memory>

#include "control/registry/registry.h"
#include "control/registry/watch.h"

namespace keelson {

// For kinds that are kept as they are, the functions below change nothing.

// The target as it is kept.
Target stored(const Target& target);
std::unique_ptr<Message> stored_message(const Kind& served, const Message& message);
ObjectPtr served_object(const Kind& served, const ObjectPtr& stored);

Result<Answer> served_answer(const Kind& served, Result<Answer> answer);
Result<ListAnswer> served_list(const Kind& served, Result<ListAnswer> list);
std::shared_ptr<WatchSink> served_sink(const Kind& served, std::shared_ptr<WatchSink> sink);

}  // namespace keelson

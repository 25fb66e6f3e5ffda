// A write on its way through the registry: what is there, what shall be, who asks.
#pragma once

#include <google/protobuf/message.h>

#include <memory>

#include "control/registry/registry.h"

namespace keelson {

struct Write {
  const Target& target;
  RequestContext& context;
  ObjectPtr existing = nullptr;               // null: it is created
  std::unique_ptr<Message> before = nullptr;  // existing, decoded; null: it is created
  std::unique_ptr<Message> after = nullptr;   // what the requester wants, then what will be
  bool owners_known = false;                  // apply has noted already who owns which field

  const Kind& kind() const { return target.kind; }
};

// Notes in metadata.managedFields what the requester sets; not again what apply has noted. Before
// admission: what that adds is nobody's.
void note_owners(const Write& write, WallTime now);
// 409: the requester means another object of this name.
Result<> check_uid(const Write& write);

}  // namespace keelson

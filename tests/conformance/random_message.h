// Messages filled at random, with values that could be there.
#pragma once

#include <google/protobuf/message.h>

#include "base/random.h"

namespace keelson {

// Some of the fields, to a depth where even messages that hold themselves end.
void fill_at_random(google::protobuf::Message& message, Random& random);

// What a Go client sends of it: zeros in every field that is no pointer and was not set.
void set_zeros(google::protobuf::Message& message);

}  // namespace keelson

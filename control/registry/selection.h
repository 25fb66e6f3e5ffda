// Which objects of a kind a list or a watch is about.
#pragma once

#include <string>

#include "api/kinds.h"
#include "api/selector.h"

namespace keelson {

struct Selection {
  std::string name_space;  // empty: all
  LabelSelector labels;
  FieldSelector fields;

  // BadRequest: a selector that cannot be parsed, or asks for a field that cannot be selected by.
  static Result<Selection> parse(const Kind& kind, std::string_view name_space,
                                 std::string_view labels, std::string_view fields);
  bool everything() const { return labels.matches_everything() && fields.matches_everything(); }
  bool matches(const Object& object) const {
    return (name_space.empty() || object.name_space == name_space) &&
           labels.matches(object.labels) && fields.matches(object);
  }
};

}  // namespace keelson

// Selecting from a view.
#include "api/view.h"

#include "api/selector.h"

namespace keelson {

std::vector<ObjectPtr> View::select(const Kind& kind, std::string_view name_space,
                                    const LabelSelector& selector) const {
  std::vector<ObjectPtr> objects = list(kind, name_space);
  std::erase_if(objects,
                [&](const ObjectPtr& object) { return !selector.matches(object->labels); });
  return objects;
}

}  // namespace keelson

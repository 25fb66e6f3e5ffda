// Parsing of a query's selectors.
#include "control/registry/selection.h"

#include "control/registry/errors.h"

namespace keelson {

Result<Selection> Selection::parse(const Kind& kind, std::string_view name_space,
                                   std::string_view labels, std::string_view fields) {
  auto by_label = LabelSelector::parse(labels);
  if (!by_label) return std::unexpected(by_label.error());
  auto by_field = FieldSelector::parse(kind, fields);
  if (!by_field) return std::unexpected(by_field.error());
  return Selection{std::string(name_space), std::move(*by_label), std::move(*by_field)};
}

}  // namespace keelson

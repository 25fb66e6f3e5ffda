// Parsing of resourceVersion.
#include "control/registry/revision_text.h"

#include <charconv>

namespace keelson {

Result<Revision> parse_revision(std::string_view text) {
  if (text.empty()) return 0;
  Revision revision = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (error == std::errc{} && end == text.data() + text.size() && revision >= 0) return revision;
  return fail(Reason::BadRequest,
              "invalid resource version: resourceVersion: Invalid value: \"{0}\": "
              "strconv.ParseUint: parsing \"{0}\": {1}",
              text,
              error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax");
}

}  // namespace keelson

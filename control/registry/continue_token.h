// Where the next page of a list begins: opaque to clients, checked when it comes back.
#pragma once

#include <string>
#include <string_view>

#include "api/kinds.h"

namespace keelson {

struct ContinueToken {
  Revision revision = 0;        // of the whole list; negative: whatever is now
  std::int64_t remaining = -1;  // objects that follow, with those of this page; negative: unknown
  std::string after;            // the last key of the page before
};

// Good for the same kind and namespace alone.
std::string write_token(const ContinueToken& token, const Kind& kind, std::string_view name_space);
Result<ContinueToken> read_token(std::string_view text, const Kind& kind,
                                 std::string_view name_space);

}  // namespace keelson

// Who asks: the user and groups that a client certificate proves.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/http.h"
#include "base/tls.h"

namespace keelson {

struct Identity {
  std::string user;
  std::vector<std::string> groups;
  bool in_group(std::string_view group) const;
};

// Unauthorized: no certificate, or none that our authority has signed. A member of system:masters
// may speak as somebody else (Impersonate-User …, `kubectl --as`); Forbidden: anybody else.
Result<Identity> authenticate(const TlsPeer* peer, const HttpHeaders& headers);

}  // namespace keelson

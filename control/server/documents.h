// What the server says of itself: discovery, OpenAPI, its version. Made when first asked for, and
// kept.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "control/server/hands.h"

namespace keelson {

struct VersionInfo {
  std::string git_version;  // "v1.32.0-keelson"
  std::string git_commit;
};

// Any thread.
class Documents {
 public:
  Documents(VersionInfo version, std::string server_address)
      : version_(std::move(version)), server_address_(std::move(server_address)) {}

  // By name; made by the first who asks.
  Bytes get(const std::string& name, const std::function<std::string()>& make);
  // Null: there is none of that path.
  Bytes openapi_v3(const std::string& path);
  Bytes openapi_v3_index();

  const VersionInfo& version() const { return version_; }
  const std::string& server_address() const { return server_address_; }

 private:
  void make_openapi_v3();  // locked

  const VersionInfo version_;
  const std::string server_address_;
  std::mutex mutex_;
  std::map<std::string, Bytes> documents_;
  std::map<std::string, Bytes> openapi_v3_;
  Bytes openapi_v3_index_;
};

void serve_index(Hands& hands, CallPtr call);          // /
void serve_core_versions(Hands& hands, CallPtr call);  // /api
void serve_groups(Hands& hands, CallPtr call);         // /apis
void serve_resources(Hands& hands, CallPtr call);      // /api/v1, /apis/G, /apis/G/V
void serve_openapi_v2(Hands& hands, CallPtr call);     // /openapi/v2
void serve_openapi_v3(Hands& hands, CallPtr call);     // /openapi/v3, /openapi/v3/PATH
void serve_version(Hands& hands, CallPtr call);        // /version

}  // namespace keelson

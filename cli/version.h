// Who we are, to people and to clients.
#pragma once

namespace keelson {

extern const char* const keelson_version;  // "0.1.0"
extern const char* const keelson_commit;   // of the source it was built from
// What kubectl and client libraries take us for.
inline constexpr const char* kubernetes_version = "v1.32.0-keelson";

}  // namespace keelson

// OpenAPI documents, derived from the rows and the schema: whole or not at all, for kubectl
// computes patches by what they say (API-BEHAVIOUR §15). Made on demand; whoever serves them keeps
// them.
#pragma once

#include <map>
#include <string>

#include "api/discovery.h"

namespace keelson {

// GET /openapi/v3/PATH: the documents by path ("api/v1", "apis/apps/v1").
std::map<std::string, std::string> openapi_v3_documents(Kinds kinds);
// GET /openapi/v3: where each is; its URL changes when it does.
std::string openapi_v3_index(const std::map<std::string, std::string>& documents);

// GET /openapi/v2, one document for all: JSON, and as older kubectl wants it.
std::string openapi_v2_json(Kinds kinds);
std::string openapi_v2_protobuf(Kinds kinds);

// The Content-Type of openapi_v2_protobuf's answer. The Accept header spells it with an '@', which
// clients cannot parse in an answer (KUBECTL-WIRE §2).
inline constexpr std::string_view openapi_v2_protobuf_media_type =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

}  // namespace keelson

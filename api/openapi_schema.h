// Messages as OpenAPI schemas.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "api/discovery.h"
#include "api/schema.h"

namespace keelson {

enum class OpenApi { V2, V3 };

// "io.k8s.api.core.v1.Pod"
std::string openapi_name(const google::protobuf::Descriptor& message);

// {"$ref": …} to a message's schema.
boost::json::object openapi_reference(OpenApi version, const google::protobuf::Descriptor& message);

// The message of a kind; null if this program does not have it.
const google::protobuf::Descriptor* find_message(std::string_view group, std::string_view version,
                                                 std::string_view kind);

// Collects messages and all that they refer to, and writes their schemas.
class OpenApiSchemas {
 public:
  OpenApiSchemas(OpenApi version, Kinds kinds);
  void add(const google::protobuf::Descriptor& message);  // and what it refers to
  boost::json::object write() const;                      // by name, sorted

 private:
  struct GroupVersionKind {
    std::string group, version, kind;
  };
  void know(std::string_view group, std::string_view version, std::string_view kind);
  boost::json::object message(const MessageSchema& schema) const;
  boost::json::object property(const FieldSchema& field) const;
  boost::json::object value(const FieldSchema& field, bool of_struct) const;
  void set_kinds(const MessageSchema& schema, boost::json::object& json) const;

  OpenApi version_;
  std::map<std::string, const google::protobuf::Descriptor*> messages_;  // by OpenAPI name
  std::map<std::string, std::vector<GroupVersionKind>> kinds_;           // by OpenAPI name
};

}  // namespace keelson

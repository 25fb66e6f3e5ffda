// Errors as the API words them: meta.v1 Status, there and back.
#pragma once

#include <string_view>

#include "api/types.h"
#include "base/error.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class Status;
}

namespace keelson {

void to_status(const Error& error, meta::Status& status);  // a Failure
Error from_status(const meta::Status& status);

// The error behind an answer that is no success: a Status by protobuf or JSON, or whatever a proxy
// in between has to say.
Error error_of_answer(int http_status, std::string_view body);

}  // namespace keelson

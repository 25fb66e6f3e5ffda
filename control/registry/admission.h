// What is asked of every write between the requester and validation: a list of named plugins, in
// order. Each may change the object or refuse the write.
#pragma once

#include <span>
#include <string_view>

#include "control/registry/write.h"

namespace keelson {

enum class AdmissionVerb { Create, Update, Delete };

// after is null for a delete. Subresources are asked about too: a plugin looks at
// write.target.subresource.
using Admit = Result<> (*)(const View& view, AdmissionVerb verb, const Write& write);

struct AdmissionPlugin {
  std::string_view name;  // as kube-apiserver's --enable-admission-plugins spells it
  Admit admit;
};

std::span<const AdmissionPlugin> admission_plugins();
Result<> admit(const View& view, AdmissionVerb verb, const Write& write);

// For refusals: the name, or the generateName of what has none yet.
std::string name_for_messages(const Write& write);

// One file each in admission/.
Result<> admit_namespace_lifecycle(const View& view, AdmissionVerb verb, const Write& write);
Result<> admit_service_account(const View& view, AdmissionVerb verb, const Write& write);
Result<> admit_priority(const View& view, AdmissionVerb verb, const Write& write);
Result<> admit_default_toleration_seconds(const View& view, AdmissionVerb verb, const Write& write);

}  // namespace keelson

// The Writer of this process: straight into the registry.
#pragma once

#include <string>

#include "control/registry/registry.h"
#include "control/registry/writer.h"

namespace keelson {

class RegistryWriter final : public Writer {
 public:
  // user: who writes, as admission and authorization see it ("system:kube-scheduler"). manager: who
  // owns the fields ("kube-scheduler").
  RegistryWriter(Registry& registry, std::string user, std::string manager);

  Result<ObjectPtr> create(const Kind& kind, const Message& message) override;
  Result<ObjectPtr> update(const Kind& kind, const Message& message) override;
  Result<ObjectPtr> update_status(const Kind& kind, const Message& message) override;
  Result<ObjectPtr> finalize(const Message& name_space) override;
  Result<> remove(const Kind& kind, std::string_view key, const DeleteOptions& options) override;
  Result<> bind(std::string_view pod_key, std::string_view pod_uid,
                std::string_view node_name) override;

 private:
  RequestContext context() const;
  Result<ObjectPtr> update_through(const Kind& kind, const Message& message,
                                   std::string_view subresource);

  Registry& registry_;
  const std::string user_, manager_;
};

}  // namespace keelson

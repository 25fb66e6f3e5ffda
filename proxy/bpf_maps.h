// The maps of the kernel, by their file descriptors.
#pragma once

#include "proxy/maps.h"

namespace keelson::proxy {

class BpfMaps final : public Maps {
 public:
  struct Fds {  // the caller's; must stay open as long as this object lives
    int services = -1;
    int slots = -1;
    int backends = -1;
  };
  explicit BpfMaps(Fds fds) : fds_(fds) {}

  Result<> put(const ServiceRows& rows) override;
  Result<> put(const SlotRows& rows) override;
  Result<> put(const BackendRows& rows) override;
  Result<> erase_services(const std::vector<lb_service_key>& keys) override;
  Result<> erase_slots(const std::vector<lb_slot_key>& keys) override;
  Result<> erase_backends(const std::vector<std::uint32_t>& ids) override;
  Result<MapContents> dump() override;

 private:
  Fds fds_;
};

}  // namespace keelson::proxy

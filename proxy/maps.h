// The seam to the kernel's maps: rows in, rows out, rows read back. libbpf behind it on a node
// (bpf_maps.h), std::map in tests.
#pragma once

#include <vector>

#include "base/error.h"
#include "bpf/lb_types.h"

namespace keelson::proxy {

template <typename Key, typename Value>
struct MapRows {  // keys[i] has values[i]
  std::vector<Key> keys;
  std::vector<Value> values;

  void add(const Key& key, const Value& value) {
    keys.push_back(key);
    values.push_back(value);
  }
  std::size_t size() const { return keys.size(); }
};
using ServiceRows = MapRows<lb_service_key, lb_service>;
using SlotRows = MapRows<lb_slot_key, lb_slot>;
using BackendRows = MapRows<std::uint32_t, lb_backend>;

struct MapContents {
  ServiceRows services;
  SlotRows slots;
  BackendRows backends;
};

// One thread's. Rows are written in their order, each at once for a program that reads it. An error
// leaves those before the failing row written, and the rest not. Removing what is not there is
// fine.
class Maps {
 public:
  virtual ~Maps() = default;
  virtual Result<> put(const ServiceRows& rows) = 0;
  virtual Result<> put(const SlotRows& rows) = 0;
  virtual Result<> put(const BackendRows& rows) = 0;
  virtual Result<> erase_services(const std::vector<lb_service_key>& keys) = 0;
  virtual Result<> erase_slots(const std::vector<lb_slot_key>& keys) = 0;
  virtual Result<> erase_backends(const std::vector<std::uint32_t>& ids) = 0;
  virtual Result<MapContents> dump() = 0;
};

}  // namespace keelson::proxy

// Maps that look at every single write: no program that reads in between may find a slot without
// its backend, or fewer backends than it should.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "proxy/maps.h"
#include "proxy/service_table.h"

#include <CppUTest/TestHarness.h>

namespace keelson::proxy {

using BackendSet = std::set<std::pair<std::uint32_t, std::uint16_t>>;  // address, port
using Reachable = std::map<lb_service_key, BackendSet>;

inline BackendSet set_of(const std::vector<Backend>& backends) {
  BackendSet set;
  for (const auto& backend : backends) set.emplace(backend.address_be, backend.port_be);
  return set;
}

struct SlotLess {
  bool operator()(const lb_slot_key& a, const lb_slot_key& b) const {
    return std::pair(a.service_id, a.index) < std::pair(b.service_id, b.index);
  }
};

class CheckedMaps final : public Maps {
 public:
  Result<> put(const ServiceRows& rows) override { return put_all(services, rows, sizes.services); }
  Result<> put(const SlotRows& rows) override { return put_all(slots, rows, sizes.slots); }
  Result<> put(const BackendRows& rows) override { return put_all(backends, rows, sizes.backends); }
  Result<> erase_services(const std::vector<lb_service_key>& keys) override {
    return erase_all(services, keys);
  }
  Result<> erase_slots(const std::vector<lb_slot_key>& keys) override {
    return erase_all(slots, keys);
  }
  Result<> erase_backends(const std::vector<std::uint32_t>& ids) override {
    return erase_all(backends, ids);
  }
  Result<MapContents> dump() override {
    if (dumps_fail) return fail(Reason::InternalError, "dump");
    MapContents contents;
    for (const auto& [key, row] : services) contents.services.add(key, row);
    for (const auto& [key, row] : slots) contents.slots.add(key, row);
    for (const auto& [key, row] : backends) contents.backends.add(key, row);
    return contents;
  }

  // What a program can pick for each front now. Every slot must lead to a backend of its service.
  Reachable reachable() const {
    Reachable found;
    for (const auto& [key, service] : services) {
      CHECK(service.key == key);
      auto& set = found[key];
      for (std::uint32_t i = 0; i < service.backend_count; ++i) {
        const auto slot = slots.find({.service_id = service.id, .index = i});
        CHECK_TEXT(slot != slots.end(), "a slot is missing");
        LONGS_EQUAL(service.id, slot->second.service_id);
        const auto backend = backends.find(slot->second.backend_id);
        CHECK_TEXT(backend != backends.end(), "a slot points to a missing backend");
        LONGS_EQUAL(service.id, backend->second.service_id);
        set.emplace(backend->second.address, backend->second.port);
      }
    }
    return found;
  }

  // From now on each write is checked: a front has at least what it had and shall have, at most
  // what it had or shall have.
  void expect(const Reachable& wanted) {
    before_ = reachable();
    after_ = wanted;
    checking_ = true;
  }
  void stop_checking() { checking_ = false; }

  std::map<lb_service_key, lb_service> services;
  std::map<lb_slot_key, lb_slot, SlotLess> slots;
  std::map<std::uint32_t, lb_backend> backends;
  struct {
    std::size_t services = 1'000'000, slots = 1'000'000, backends = 1'000'000;
  } sizes;
  int writes = 0;
  int writes_until_death = 1'000'000'000;  // then every write fails
  bool dumps_fail = false;

 private:
  template <typename Map, typename Key, typename Value>
  Result<> put_all(Map& map, const MapRows<Key, Value>& rows, std::size_t size) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (writes_until_death-- <= 0) return fail(Reason::InternalError, "dead");
      if (map.size() >= size && !map.contains(rows.keys[i]))
        return fail(Reason::InternalError, "map is full");
      map[rows.keys[i]] = rows.values[i];
      wrote();
    }
    return {};
  }
  template <typename Map, typename Key>
  Result<> erase_all(Map& map, const std::vector<Key>& keys) {
    for (const auto& key : keys) {
      if (writes_until_death-- <= 0) return fail(Reason::InternalError, "dead");
      map.erase(key);
      wrote();
    }
    return {};
  }
  void wrote() {
    ++writes;
    if (!checking_) return;
    for (const auto& [key, now] : reachable()) {
      const BackendSet& old = before_[key];
      const BackendSet& next = after_[key];
      for (const auto& backend : now)
        CHECK_TEXT(old.contains(backend) || next.contains(backend), "a backend nobody asked for");
      for (const auto& backend : old)
        if (next.contains(backend)) CHECK_TEXT(now.contains(backend), "a backend was lost");
    }
  }

  bool checking_ = false;
  Reachable before_, after_;
};

}  // namespace keelson::proxy

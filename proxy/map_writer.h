// Brings the maps from the rows they hold to the rows they shall hold, by the fewest writes and in
// an order in which a program that reads meanwhile never misses a backend.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "proxy/maps.h"
#include "proxy/service_table.h"

namespace keelson::proxy {

// Numbers for services and backends. One that was given back rests, so that no socket's memory of
// it (affinity) meets its next holder soon.
class Ids {
 public:
  std::uint32_t take();
  void give_back(std::uint32_t id) { resting_.push_back(id); }
  void restart(const std::set<std::uint32_t>& in_use);  // everything else is free

 private:
  std::uint32_t next_ = 1;  // 0 is none
  std::deque<std::uint32_t> resting_;
};

// What is to be written, in the order of its members: backends, then the slots that name them, then
// the services that count the slots; what goes, in reverse.
struct MapWrites {
  BackendRows put_backends;
  SlotRows put_slots;
  ServiceRows put_services;
  std::vector<lb_service_key> erase_services;
  std::vector<lb_slot_key> erase_slots;
  std::vector<std::uint32_t> erase_backends;
  std::vector<std::uint32_t> retired_services;  // ids; no rows of their own

  std::size_t size() const;  // rows
};

class MapWriter {
 public:
  explicit MapWriter(Maps& maps) : maps_(maps) {}

  // Takes what the maps hold as where to start from. Rows that nothing leads to (a writer died
  // between two writes) are removed.
  Result<> read_back();

  struct Outcome {
    std::size_t writes = 0;
    RowChanges failed;           // what could not be written, to be tried again
    std::optional<Error> error;  // the first of why
  };
  // All changes in one go; if that fails (a map is full), one by one, so that one Service too many
  // does not keep others from being served.
  Outcome write(const RowChanges& changes);

  // The fronts in the maps.
  std::vector<lb_service_key> fronts() const;

 private:
  struct Written {
    std::uint32_t id = 0;
    std::uint32_t affinity_timeout_s = 0;
    std::uint32_t flags = 0;
    std::vector<lb_backend> slots;  // id 0: the maps lack it
  };
  using WrittenByFront = std::map<lb_service_key, Written>;

  void plan(const lb_service_key& front, const std::optional<ServiceRow>& wanted,
            MapWrites& writes);
  void plan_removal(const Written& written, MapWrites& writes);
  std::vector<lb_backend> arrange(const ServiceRow& wanted, const Written& written,
                                  MapWrites& writes);
  Result<> make(const MapWrites& writes);
  void write_each(const RowChanges& changes, Outcome& outcome);
  void adopt(const MapContents& contents, MapWrites& stray);

  Maps& maps_;
  WrittenByFront written_;
  Ids service_ids_, backend_ids_;
};

}  // namespace keelson::proxy

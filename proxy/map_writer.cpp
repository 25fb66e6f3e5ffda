// The difference between rows written and rows wanted, as writes in a safe order.
#include "proxy/map_writer.h"

#include <algorithm>
#include <unordered_map>

namespace keelson::proxy {
namespace {

// So many other numbers are given back before one is used again.
constexpr std::size_t ids_resting_min = 4'096;
// And so many are kept in mind after a restart, whatever the maps held.
constexpr std::size_t ids_resting_max = 1'000'000;
// Changes tried one by one after a failure; a full map fails them all alike.
constexpr std::size_t failures_max = 16;

Backend backend_of(const lb_backend& row) {
  return {.address_be = row.address, .port_be = row.port, .local = row.local != 0};
}

// Each row of backends a Service lost or never had a slot for.
void erase_unlisted(const std::vector<lb_backend>& before, const std::vector<lb_backend>& after,
                    std::vector<std::uint32_t>& erased) {
  std::set<std::uint32_t> listed;
  for (const auto& backend : after) listed.insert(backend.id);
  for (const auto& backend : before)
    if (backend.id != 0 && listed.insert(backend.id).second) erased.push_back(backend.id);
}

}  // namespace

std::uint32_t Ids::take() {
  if (resting_.size() <= ids_resting_min) return next_++;
  const std::uint32_t id = resting_.front();
  resting_.pop_front();
  return id;
}

void Ids::restart(const std::set<std::uint32_t>& in_use) {
  next_ = in_use.empty() ? 1 : *in_use.rbegin() + 1;
  resting_.clear();
  for (std::uint32_t id = 1; id < next_ && resting_.size() < ids_resting_max; ++id)
    if (!in_use.contains(id)) resting_.push_back(id);
}

std::size_t MapWrites::size() const {
  return put_backends.size() + put_slots.size() + put_services.size() + erase_services.size() +
         erase_slots.size() + erase_backends.size();
}

MapWriter::Outcome MapWriter::write(const RowChanges& changes) {
  Outcome outcome;
  MapWrites writes;
  for (const auto& [front, wanted] : changes) plan(front, wanted, writes);
  if (auto made = make(writes); !made) {
    outcome.error = made.error();
    write_each(changes, outcome);
  } else {
    outcome.writes = writes.size();
  }
  return outcome;
}

// After a failure what is in the maps is not what was planned: they are read back each time.
void MapWriter::write_each(const RowChanges& changes, Outcome& outcome) {
  bool is_known = read_back().has_value();
  for (const auto& [front, wanted] : changes) {
    if (!is_known || outcome.failed.size() >= failures_max) {
      outcome.failed.emplace(front, wanted);
      continue;
    }
    MapWrites writes;
    plan(front, wanted, writes);
    if (make(writes)) {
      outcome.writes += writes.size();
      continue;
    }
    outcome.failed.emplace(front, wanted);
    is_known = read_back().has_value();
  }
}

std::vector<lb_service_key> MapWriter::fronts() const {
  std::vector<lb_service_key> fronts;
  fronts.reserve(written_.size());
  for (const auto& [front, written] : written_) fronts.push_back(front);
  return fronts;
}

void MapWriter::plan(const lb_service_key& front, const std::optional<ServiceRow>& wanted,
                     MapWrites& writes) {
  const auto at = written_.find(front);
  if (!wanted) {
    if (at == written_.end()) return;
    writes.erase_services.push_back(front);
    plan_removal(at->second, writes);
    written_.erase(at);
    return;
  }
  const bool is_new = at == written_.end();
  Written& written = is_new ? written_[front] : at->second;
  if (is_new) written.id = service_ids_.take();
  const std::size_t count_before = written.slots.size();
  std::vector<lb_backend> slots = arrange(*wanted, written, writes);

  if (is_new || slots.size() != count_before || written.flags != wanted->flags ||
      written.affinity_timeout_s != wanted->affinity_timeout_s)
    writes.put_services.add(front, {.key = front,
                                    .id = written.id,
                                    .backend_count = static_cast<std::uint32_t>(slots.size()),
                                    .affinity_timeout_s = wanted->affinity_timeout_s,
                                    .flags = wanted->flags});
  written.flags = wanted->flags;
  written.affinity_timeout_s = wanted->affinity_timeout_s;
  written.slots = std::move(slots);
}

void MapWriter::plan_removal(const Written& written, MapWrites& writes) {
  for (std::uint32_t i = 0; i < written.slots.size(); ++i)
    writes.erase_slots.push_back({.service_id = written.id, .index = i});
  erase_unlisted(written.slots, {}, writes.erase_backends);
  writes.retired_services.push_back(written.id);
}

// The new list: what stays keeps its slot if it can, holes are filled from beyond the new end first
// and then with what is new. So a removal moves one backend, not all behind it.
std::vector<lb_backend> MapWriter::arrange(const ServiceRow& wanted, const Written& written,
                                           MapWrites& writes) {
  const auto& before = written.slots;
  std::vector<lb_backend> after(wanted.backends.size());
  std::set<Backend> missing(wanted.backends.begin(), wanted.backends.end());
  std::deque<lb_backend> movers;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].id == 0 || missing.erase(backend_of(before[i])) == 0) continue;
    if (i < after.size())
      after[i] = before[i];
    else
      movers.push_back(before[i]);
  }
  for (const auto& backend : missing) {
    movers.push_back({.id = backend_ids_.take(),
                      .service_id = written.id,
                      .address = backend.address_be,
                      .port = backend.port_be,
                      .local = backend.local,
                      .reserved = 0});
    writes.put_backends.add(movers.back().id, movers.back());
  }
  for (std::uint32_t i = 0; i < after.size(); ++i) {
    if (after[i].id != 0) continue;
    after[i] = movers.front();
    movers.pop_front();
    writes.put_slots.add({.service_id = written.id, .index = i},
                         {.service_id = written.id, .backend_id = after[i].id});
  }
  for (auto i = static_cast<std::uint32_t>(after.size()); i < before.size(); ++i)
    writes.erase_slots.push_back({.service_id = written.id, .index = i});
  erase_unlisted(before, after, writes.erase_backends);
  return after;
}

Result<> MapWriter::make(const MapWrites& writes) {
  if (auto done = maps_.put(writes.put_backends); !done) return done;
  if (auto done = maps_.put(writes.put_slots); !done) return done;
  if (auto done = maps_.put(writes.put_services); !done) return done;
  if (auto done = maps_.erase_services(writes.erase_services); !done) return done;
  if (auto done = maps_.erase_slots(writes.erase_slots); !done) return done;
  if (auto done = maps_.erase_backends(writes.erase_backends); !done) return done;
  for (const auto id : writes.erase_backends) backend_ids_.give_back(id);
  for (const auto id : writes.retired_services) service_ids_.give_back(id);
  return {};
}

Result<> MapWriter::read_back() {
  auto contents = maps_.dump();
  if (!contents) return contents.error().during("read the service maps");
  MapWrites stray;
  adopt(*contents, stray);
  return make(stray);
}

void MapWriter::adopt(const MapContents& contents, MapWrites& stray) {
  std::unordered_map<std::uint32_t, lb_backend> backends;
  for (const auto& backend : contents.backends.values) backends.emplace(backend.id, backend);
  std::unordered_map<std::uint32_t, Written*> by_id;
  std::set<std::uint32_t> service_ids, backend_ids, listed;

  written_.clear();
  for (const auto& service : contents.services.values) {
    Written& written = written_[service.key];
    written = {.id = service.id,
               .affinity_timeout_s = service.affinity_timeout_s,
               .flags = service.flags,
               .slots = std::vector<lb_backend>(service.backend_count)};
    by_id[service.id] = &written;
    service_ids.insert(service.id);
  }
  for (std::size_t i = 0; i < contents.slots.size(); ++i) {
    const auto& key = contents.slots.keys[i];
    const auto service = by_id.find(key.service_id);
    if (service == by_id.end() || key.index >= service->second->slots.size()) {
      stray.erase_slots.push_back(key);
      continue;
    }
    const auto backend = backends.find(contents.slots.values[i].backend_id);
    if (backend == backends.end() || backend->second.service_id != key.service_id) continue;
    service->second->slots[key.index] = backend->second;
    listed.insert(backend->first);
  }
  for (const auto& [id, backend] : backends) {
    backend_ids.insert(id);
    if (!listed.contains(id)) stray.erase_backends.push_back(id);
  }
  service_ids_.restart(service_ids);
  backend_ids_.restart(backend_ids);
}

}  // namespace keelson::proxy

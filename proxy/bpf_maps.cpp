// Rows into and out of the kernel's maps, many in one system call where there are many.
#include "proxy/bpf_maps.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

namespace keelson::proxy {
namespace {

// One system call copies so many rows; beyond it the kernel's own buffers get large.
constexpr std::uint32_t batch_rows_max = 4'096;

struct MapFd {
  int fd;
  const char* name;
};

std::unexpected<Error> fail_put(int error, const MapFd& map) {
  if (error == E2BIG)
    return fail(Reason::InternalError,
                "map {} is full: raise its size (agent's --{}-max) or run fewer Services", map.name,
                map.name);
  return fail_errno(error, "write map {}", map.name);
}

template <typename Key, typename Value>
Result<> put_rows(const MapFd& map, const MapRows<Key, Value>& rows) {
  if (rows.size() == 1) {  // the common case, and cheaper than a batch of one
    if (::bpf_map_update_elem(map.fd, &rows.keys[0], &rows.values[0], BPF_ANY) != 0)
      return fail_put(errno, map);
    return {};
  }
  DECLARE_LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_ANY);
  for (std::size_t done = 0; done < rows.size();) {
    auto count = std::min(batch_rows_max, static_cast<std::uint32_t>(rows.size() - done));
    if (::bpf_map_update_batch(map.fd, &rows.keys[done], &rows.values[done], &count, &options) != 0)
      return fail_put(errno, map);
    done += count;
  }
  return {};
}

template <typename Key>
Result<> erase_rows(const MapFd& map, const std::vector<Key>& keys) {
  for (const auto& key : keys)
    if (::bpf_map_delete_elem(map.fd, &key) != 0 && errno != ENOENT)
      return fail_errno(errno, "remove from map {}", map.name);
  return {};
}

template <typename Key, typename Value>
Result<> read_rows(const MapFd& map, MapRows<Key, Value>& rows) {
  std::uint32_t position = 0;  // the kernel's: a bucket of the hash
  void* from = nullptr;
  std::uint32_t room = batch_rows_max;
  for (;;) {
    std::uint32_t count = room;
    rows.keys.resize(rows.keys.size() + room);
    rows.values.resize(rows.keys.size());
    const std::size_t had = rows.keys.size() - room;
    const int result = ::bpf_map_lookup_batch(map.fd, from, &position, &rows.keys[had],
                                              &rows.values[had], &count, nullptr);
    const int error = result == 0 ? 0 : errno;
    if (error == ENOSPC) count = 0;  // a bucket with more rows than there was room for
    rows.keys.resize(had + count);
    rows.values.resize(had + count);
    if (error == ENOENT) return {};  // that was the last bucket
    if (error == ENOSPC && room < (1U << 24)) {
      room *= 2;
      continue;
    }
    if (error != 0) return fail_errno(error, "read map {}", map.name);
    from = &position;
  }
}

}  // namespace

Result<> BpfMaps::put(const ServiceRows& rows) {
  return put_rows({fds_.services, "lb_services"}, rows);
}

Result<> BpfMaps::put(const SlotRows& rows) {
  return put_rows({fds_.slots, "lb_slots"}, rows);
}

Result<> BpfMaps::put(const BackendRows& rows) {
  return put_rows({fds_.backends, "lb_backends"}, rows);
}

Result<> BpfMaps::erase_services(const std::vector<lb_service_key>& keys) {
  return erase_rows({fds_.services, "lb_services"}, keys);
}

Result<> BpfMaps::erase_slots(const std::vector<lb_slot_key>& keys) {
  return erase_rows({fds_.slots, "lb_slots"}, keys);
}

Result<> BpfMaps::erase_backends(const std::vector<std::uint32_t>& ids) {
  return erase_rows({fds_.backends, "lb_backends"}, ids);
}

Result<MapContents> BpfMaps::dump() {
  MapContents contents;
  auto read = read_rows({fds_.services, "lb_services"}, contents.services);
  if (read) read = read_rows({fds_.slots, "lb_slots"}, contents.slots);
  if (read) read = read_rows({fds_.backends, "lb_backends"}, contents.backends);
  if (!read) return std::unexpected(read.error());
  return contents;
}

}  // namespace keelson::proxy

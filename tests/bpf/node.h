// One node under test: its programs, loaded in its network namespace, and a writer for its maps.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "proxy/attach.h"
#include "proxy/bpf_maps.h"
#include "proxy/loader.h"
#include "proxy/map_writer.h"
#include "tests/bpf/sandbox.h"
#include "tests/proxy/objects.h"

namespace keelson::proxy {

inline std::vector<Backend> backends_at(const std::vector<std::string>& addresses, int port,
                                        bool local = true) {
  std::vector<Backend> backends;
  for (const auto& address : addresses)
    backends.push_back({.address_be = *parse_ipv4(address),
                        .port_be = htons(static_cast<std::uint16_t>(port)),
                        .local = local});
  std::ranges::sort(backends);
  return backends;
}

class TestNode {
 public:
  enum class Attach { Everything, Nothing };
  // Dies where a program does not load: that is what the tests are about.
  TestNode(Sandbox& sandbox, const std::string& net_namespace, DatapathSettings settings,
           Attach attach = Attach::Everything)
      : sandbox_(sandbox), settings_(std::move(settings)) {
    sandbox_.inside(net_namespace, [&] {
      load();
      if (attach == Attach::Everything) put_in_force();
    });
  }

  Programs& programs() { return *programs_; }
  MapWriter& writer() { return *writer_; }
  void write(const RowChanges& changes) {
    const auto outcome = writer_->write(changes);
    check(!outcome.error, outcome.error ? outcome.error->message : "");
  }
  void clear() {
    RowChanges gone;
    for (const auto& front : writer_->fronts()) gone[front] = std::nullopt;
    write(gone);
  }
  TcMode tc_mode() const { return tc_mode_; }

  Fd map(const std::string& name) {
    const std::string pin = programs_->maps_folder() + "/" + name;
    Fd fd(sandbox_.inside("", [&] { return ::bpf_obj_get(pin.c_str()); }));
    check(static_cast<bool>(fd), name);
    return fd;
  }
  // Changes each row of a map in place.
  template <typename Key, typename Value, typename Change>
  void change_rows(const std::string& name, Change change) {
    const Fd fd = map(name);
    std::vector<Key> keys;
    for (Key key{}, *last = nullptr; ::bpf_map_get_next_key(fd.get(), last, &key) == 0;) {
      keys.push_back(key);
      last = &keys.back();
    }
    for (const auto& key : keys) {
      Value value{};
      if (::bpf_map_lookup_elem(fd.get(), &key, &value) != 0) continue;
      change(key, value);
      check(::bpf_map_update_elem(fd.get(), &key, &value, BPF_ANY) == 0, name);
    }
  }
  template <typename Key>
  void erase_rows(const std::string& name) {
    const Fd fd = map(name);
    for (Key key{}; ::bpf_map_get_next_key(fd.get(), nullptr, &key) == 0;)
      check(::bpf_map_delete_elem(fd.get(), &key) == 0, name);
  }
  std::uint64_t counter(lb_counter counter) {
    std::vector<std::uint64_t> by_cpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
    const std::uint32_t key = counter;
    ::bpf_map_lookup_elem(programs_->counters_map(), &key, by_cpu.data());
    return std::accumulate(by_cpu.begin(), by_cpu.end(), std::uint64_t{0});
  }

 private:
  void load() {
    auto programs = Programs::load(settings_);
    check(programs.has_value(), programs ? "" : programs.error().message);
    programs_.emplace(std::move(*programs));
    maps_.emplace(programs_->service_maps());
    writer_.emplace(*maps_);
    check(writer_->read_back().has_value(), "read maps");
  }
  void put_in_force() {
    const auto attached = attach_sockets(settings_, *programs_);
    check(attached.has_value(), attached ? "" : attached.error().message);
    if (settings_.uplink == 0) return;
    const auto mode = attach_uplink(settings_, *programs_);
    check(mode.has_value(), mode ? "" : mode.error().message);
    tc_mode_ = *mode;
  }
  static void check(bool good, const std::string& what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
  }

  Sandbox& sandbox_;
  DatapathSettings settings_;
  std::optional<Programs> programs_;
  std::optional<BpfMaps> maps_;
  std::optional<MapWriter> writer_;
  TcMode tc_mode_ = TcMode::Tcx;
};

}  // namespace keelson::proxy

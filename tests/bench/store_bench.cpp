// Durable writes of the store alone: SQLite underneath, a closed loop of writers on the core
// thread, ConfigMaps of 1 KiB. Usage: store_bench [FOLDER [SECONDS]]; the folder says which disk.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "base/system_loop.h"
#include "control/store/sqlite.h"
#include "control/store/store.h"

using namespace keelson;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr int keys = 100'000;

double microseconds(SteadyClock::duration span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

std::size_t resident_mebibytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

ObjectPtr config_map(int key, Revision revision) {
  core::ConfigMap message;
  message.mutable_metadata()->set_namespace_("default");
  message.mutable_metadata()->set_name("cm-" + std::to_string(key));
  message.mutable_metadata()->set_uid("00000000-0000-4000-8000-" +
                                      std::to_string(100'000'000'000 + key));
  message.mutable_metadata()->set_resourceversion(std::to_string(revision));
  (*message.mutable_data())["value"] = std::string(1024, 'v');
  return make_object(kinds::config_map(), message);
}

struct Bench {
  explicit Bench(const std::string& path) {
    auto opened = SqliteDurable::open(path, loop, limits);
    if (!opened) die(opened.error().message);
    durable = std::move(*opened);
    store = std::make_unique<Store>(loop, *durable, limits, [](Error e) { die(e.message); });
    const auto begin = SteadyClock::now();
    if (auto ok = store->load(); !ok) die(ok.error().message);
    load_milliseconds = microseconds(SteadyClock::now() - begin) / 1000;
  }
  [[noreturn]] static void die(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    ::_exit(1);
  }

  void write_one() {
    const auto begin = SteadyClock::now();
    const int key = next_key++ % keys;
    const Revision revision = store->next_revision();
    if (auto ok = store->put(config_map(key, revision)); !ok) die(ok.error().message);
    store->when_durable(revision, [this, begin] {
      latencies.push_back(microseconds(SteadyClock::now() - begin));
      if (SteadyClock::now() < end && (stop_at == 0 || next_key < stop_at)) return write_one();
      if (--running == 0) loop.stop();
    });
  }

  SystemLoop loop;
  Limits limits;
  std::unique_ptr<SqliteDurable> durable;
  std::unique_ptr<Store> store;
  double load_milliseconds = 0;
  SteadyClock::time_point end;
  int next_key = 0, stop_at = 0, running = 0;
  std::vector<double> latencies;
};

void measure(const std::string& path, int writers, double seconds, int first_key, int stop_at = 0) {
  Bench bench(path);
  bench.next_key = first_key;
  bench.stop_at = stop_at;
  const auto begin = SteadyClock::now();
  bench.end = begin + std::chrono::duration_cast<SteadyClock::duration>(
                          std::chrono::duration<double>(seconds));
  bench.running = writers;
  for (int i = 0; i < writers; ++i) bench.write_one();
  const Pending keep_running = bench.loop.after(3600s, [] {});
  bench.loop.run();
  const double took = microseconds(SteadyClock::now() - begin) / 1e6;
  auto& l = bench.latencies;
  std::sort(l.begin(), l.end());
  std::printf("%8d %12.0f %10.0f %10.0f %10.0f %10zu\n", writers,
              static_cast<double>(l.size()) / took, l[l.size() / 2], l[l.size() * 99 / 100],
              l.back(), resident_mebibytes());
}

int load_only(const std::string& path) {
  const Bench bench(path);
  std::printf("load of %zu objects: %.0f ms, RSS %zu MiB\n",
              bench.store->view().count(kinds::config_map()), bench.load_milliseconds,
              resident_mebibytes());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--load") return load_only(argv[2]);
  const std::string folder = (argc > 1 ? argv[1] : std::filesystem::current_path().string()) +
                             "/store_bench." + std::to_string(::getpid());
  const double seconds = argc > 2 ? std::stod(argv[2]) : 3;
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/store.db";
  std::printf("%8s %12s %10s %10s %10s %10s\n", "writers", "writes/s", "p50 us", "p99 us", "max us",
              "RSS MiB");
  for (const int writers : {1, 8, 64, 512}) measure(path, writers, seconds, 0);
  measure(path, 512, 3600, 0, keys);  // every key once
  // In a process of its own, whose memory nothing has used before.
  std::fflush(stdout);
  std::system((std::string(argv[0]) + " --load " + path).c_str());
  std::filesystem::remove_all(folder);
}

// Keeps the maps in step with what the API says of Services: what changed is written in the next
// turn of the loop, what could not be written is tried again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/reflector.h"
#include "base/loop.h"
#include "proxy/map_writer.h"
#include "proxy/service_table.h"

namespace keelson::proxy {

// One loop's. Fed by two reflectors, one of Services and one of EndpointSlices. Until both have
// listed everything nothing is written: a Service whose endpoints are not known yet must not lose
// those that an earlier process wrote.
class ServiceSync {
 public:
  struct Settings {
    std::string node_name;
    Rows builtin = {};  // rows that are there whatever the API says
    // Called when the maps hold everything for the first time, and again later as long as it fails.
    std::function<Result<>()> put_in_force = {};
  };
  ServiceSync(Loop& loop, Maps& maps, Settings settings);

  // Takes what the maps hold as where to start from. To be called once, before anything else.
  Result<> read_back() { return writer_.read_back(); }

  ReflectorSink& services() { return services_; }
  ReflectorSink& endpoint_slices() { return slices_; }

  // Both kinds have been listed: the directory holds all there is.
  bool synced() const { return services_seen_ > 0 && slices_seen_ > 0; }
  // Everything the API said up to here is in the maps. 0: nothing yet.
  Revision programmed() const { return programmed_; }
  const ServiceDirectory& directory() const { return table_.directory(); }
  // An error: what is not in the maps although it should be, and why.
  Result<> healthz() const;

 private:
  class ServiceSink final : public ReflectorSink {
   public:
    explicit ServiceSink(ServiceSync& sync) : sync_(sync) {}
    void put(ObjectPtr object) override;
    void erase(std::string_view key, Revision revision, ObjectPtr last) override;
    std::vector<std::string> keys() const override;
    void advance(Revision revision) override;

   private:
    ServiceSync& sync_;
  };
  class SliceSink final : public ReflectorSink {
   public:
    explicit SliceSink(ServiceSync& sync) : sync_(sync) {}
    void put(ObjectPtr object) override;
    void erase(std::string_view key, Revision revision, ObjectPtr last) override;
    std::vector<std::string> keys() const override;
    void advance(Revision revision) override;

   private:
    ServiceSync& sync_;
  };

  void advance(Revision& seen, Revision revision);
  void schedule();
  void program();
  void retry();
  void write(const RowChanges& changes);
  void put_in_force();

  Loop& loop_;
  MapWriter writer_;
  ServiceTable table_;
  std::function<Result<>()> put_in_force_;
  ServiceSink services_{*this};
  SliceSink slices_{*this};
  RowChanges failed_;           // what could not be written; tried again by the timer
  std::optional<Error> error_;  // why, or why the programs are not in force
  Revision services_seen_ = 0;
  Revision slices_seen_ = 0;
  Revision programmed_ = 0;
  bool started_ = false;  // rows of objects that went while nobody watched have been marked
  Duration retry_after_;
  Pending scheduled_;
  Pending retry_;
};

}  // namespace keelson::proxy

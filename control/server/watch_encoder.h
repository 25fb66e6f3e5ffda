// Events of a watch as bytes: what is dear is made once and shared by all who watch in the same
// form, what is each watcher's own stands around it.
#pragma once

#include "base/bytes.h"
#include "control/registry/watch.h"
#include "control/server/encode.h"

namespace keelson {

class WatchEncoder {
 public:
  WatchEncoder(const Kind& kind, const Presentation& as) : kind_(kind), as_(as) {}

  // The bytes of one event, in order.
  std::vector<Bytes> event(const WatchItem& item, WallTime now);
  // ERROR, with the Status; the last event of a watch.
  std::vector<Bytes> error(const Error& error) const;
  std::string content_type() const;

 private:
  Bytes object(const WatchItem& item, WallTime now);
  std::string make_object_bytes(const ObjectPtr& object, bool headers, WallTime now) const;
  std::string bookmark(const WatchItem& item) const;
  std::vector<Bytes> framed(std::string_view type, Bytes object) const;
  bool is_protobuf() const { return as_.output.media == Media::Protobuf; }

  const Kind& kind_;
  const Presentation as_;
  bool sent_headers_ = false;  // of a Table: in the first event only
};

}  // namespace keelson

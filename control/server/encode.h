// Objects and lists in the form an answer has: as they are, as a Table, or their metadata alone; in
// JSON or protobuf. Off the core: committed objects never change.
#pragma once

#include <string>
#include <vector>

#include "api/list.h"
#include "api/table.h"
#include "control/server/negotiate.h"

namespace keelson {

struct Presentation {
  Output output;
  IncludeObject include_object = IncludeObject::Metadata;  // of a Table's rows
  bool pretty = false;                                     // JSON for people: indented
};

std::string encode_object(const ObjectPtr& object, const Presentation& as, WallTime now);

// A list, piece by piece, so that a big one keeps no thread to itself.
class ListEncoder {
 public:
  ListEncoder(const Kind& kind, std::vector<ObjectPtr> objects, ListMetadata metadata,
              const Presentation& as, WallTime now);
  // The next bytes of the document; empty: that was all.
  std::string next_piece();
  std::string whole();  // all of them, of a short one
  bool is_short() const { return objects_bytes_ <= short_bytes; }

 private:
  static constexpr std::size_t short_bytes = 512 * 1024;  // of the objects as they are stored
  static constexpr std::size_t piece_bytes = 128 * 1024;  // of encoded text; one object more

  std::string head() const;
  void append_object(std::string& out, const ObjectPtr& object) const;
  std::string_view tail() const;
  bool is_protobuf() const { return as_.output.media == Media::Protobuf; }

  const Kind& kind_;
  const std::vector<ObjectPtr> objects_;
  const ListMetadata metadata_;
  const Presentation as_;
  const WallTime now_;
  std::size_t objects_bytes_ = 0;
  std::size_t done_ = 0;
  bool ended_ = false;
};

// JSON indented by two spaces, as kubectl and curl users like it.
std::string indented_json(std::string_view json);

// {"kind":"PartialObjectMetadata",…}; in protobuf without its envelope.
void append_metadata_json(std::string& out, const Object& object, std::string_view meta_version);
std::string metadata_message(const Object& object);

}  // namespace keelson

// application/vnd.kubernetes.protobuf: the envelope around a message, and the frames of a watch.
// Source: API-BEHAVIOUR §4 and §3.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace keelson {

struct Envelope {
  std::string api_version;
  std::string kind;
  std::string_view raw;  // the bare message; points into what was parsed
};

std::string to_envelope(std::string_view api_version, std::string_view kind, std::string_view raw);
Result<Envelope> from_envelope(std::string_view bytes);  // BadRequest: not an envelope

// One event: 4 bytes of big-endian length, then meta.v1.WatchEvent whose object is an envelope.
std::string watch_frame(std::string_view type, std::string_view envelope);
struct ParsedFrame {
  std::string type;      // "ADDED" …
  std::string envelope;  // of the object
  std::size_t consumed;  // bytes of the input that were this frame
};
// NotFound while the frame is not whole yet; BadRequest when it never can be (or is over the
// bound).
Result<ParsedFrame> parse_watch_frame(std::string_view bytes, std::size_t frame_bytes_max);

}  // namespace keelson

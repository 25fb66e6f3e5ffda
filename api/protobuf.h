// application/vnd.kubernetes.protobuf: messages and their bytes, the envelope around them, lists
// and the frames of a watch. Source: API-BEHAVIOUR §4 and §3.
#pragma once

#include <string>
#include <string_view>

#include "api/types.h"
#include "base/error.h"

namespace keelson {

// The message's bytes in canonical form (see normalize): equal objects have equal bytes, whatever
// format they came in. Values that cannot be are left as they are.
std::string canonical_bytes(const Message& message);
// The message's bytes as it is, map entries sorted: canonical for a message in normal form, at half
// the price.
std::string ordered_bytes(const Message& message);

// Fills the message and normalizes it. BadRequest: not a message of this type, or as normalize. The
// result is the canonical bytes.
Result<std::string> message_from_protobuf(std::string_view bytes, Message& message);

// Brings what came by protobuf, or was set by hand, to the one form that JSON gives: a Go client
// sends every field of a struct, so zeros that mean nothing are dropped (API-BEHAVIOUR §4); so are
// unknown fields; quantities are canonical; times have the precision they are kept in. BadRequest:
// a quantity, time or raw JSON that cannot be; the rest is done. The result is the canonical bytes.
Result<std::string> normalize(Message& message);

struct Envelope {
  std::string api_version;
  std::string kind;
  std::string_view raw;  // the bare message; points into what was parsed
};

bool is_envelope(std::string_view bytes);  // begins as one: tells protobuf from JSON
std::string to_envelope(std::string_view api_version, std::string_view kind, std::string_view raw);
// All of it that stands before the message's bytes; nothing stands behind them.
std::string envelope_head(std::string_view api_version, std::string_view kind,
                          std::size_t raw_size);
Result<Envelope> from_envelope(std::string_view bytes);  // BadRequest: not an envelope

// A list, appended piece by piece from the bytes of its objects: raw of a PodList's envelope.
void append_list_metadata(std::string& raw, std::string_view list_meta);  // serialized ListMeta
void append_list_item(std::string& raw, std::string_view object_bytes);
std::size_t list_item_size(std::string_view object_bytes);  // what that appends

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

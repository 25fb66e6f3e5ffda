// Values as Go prints them: Kubernetes' messages and JSON are full of them.
#pragma once

#include <string>
#include <string_view>

namespace keelson {

// "text", with Go's escapes: what %q prints.
std::string go_quote(std::string_view text);

// A floating point number as encoding/json writes it; not for infinities.
void append_go_float(std::string& out, double value);

// A JSON string with its quotes: <, > and & escaped as Go does, invalid UTF-8 replaced by U+FFFD.
void append_json_string(std::string& out, std::string_view text);

bool is_utf8(std::string_view text);
// What is not UTF-8 becomes U+FFFD, a byte each: for text of unknown origin in a message.
std::string to_utf8(std::string_view text);

// Standard base64 with padding.
void append_base64(std::string& out, std::string_view bytes);
// False, and the index of the first character that cannot be, in `bad_index`. Line breaks are
// passed over, as Go does.
bool parse_base64(std::string_view text, std::string& bytes, std::size_t& bad_index);

}  // namespace keelson

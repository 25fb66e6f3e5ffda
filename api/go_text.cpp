// Escapes and numbers as Go's strconv, encoding/json and encoding/base64 write them.
#include "api/go_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace keelson {
namespace {

// Bytes that encoding/json writes as they are: printable ASCII without quotes, backslash, <, >, &.
constexpr std::array<bool, 256> make_plain_table() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = true;
  for (char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}
constexpr std::array<bool, 256> plain_table = make_plain_table();

bool is_plain(char c) {
  return plain_table[static_cast<unsigned char>(c)];
}

// Length of the well-formed UTF-8 sequence at the front (1 to 4 bytes); 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

void append_json_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

// What stands at the front and is not plain; returns how many bytes of it were taken.
std::size_t append_json_special(std::string& out, std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    append_json_ascii(out, text[0]);
    return 1;
  }
  const std::size_t length = utf8_length(text);
  if (length == 0) {
    out += "\\ufffd";
    return 1;
  }
  const std::string_view sequence = text.substr(0, length);
  // Line and paragraph separator end a line in JavaScript.
  if (sequence == "\u2028" || sequence == "\u2029") {
    out += sequence == "\u2028" ? "\\u2028" : "\\u2029";
  } else {
    out += sequence;
  }
  return length;
}

void append_quoted_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\v':
      out += "\\v";
      return;
    default:
      if (c >= 0x20 && c < 0x7F) {
        out += c;
      } else {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
      }
  }
}

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_base64_table() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
    table[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr std::array<std::int8_t, 256> base64_table = make_base64_table();

}  // namespace

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length <= 1) {
      append_quoted_ascii(out, text[0]);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

void append_go_float(std::string& out, double value) {
  const double size = std::abs(value);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 400> buffer;  // 1e-308 in fixed notation would be the longest; never written so
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                           scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  // e-09 becomes e-9, e+21 stays.
  if (auto e = text.find("e-0"); e != std::string_view::npos) {
    out.append(text.substr(0, e + 2)).append(text.substr(e + 3));
  } else {
    out.append(text);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && is_plain(text[run])) ++run;
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (!text.empty()) text.remove_prefix(append_json_special(out, text));
  }
  out += '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= have ? base64_alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
}

bool parse_base64(std::string_view text, std::string& bytes, std::size_t& bad_index) {
  std::uint32_t group = 0;
  std::size_t have = 0;  // characters of the group so far
  std::size_t i = 0;
  auto is_break = [&](std::size_t at) { return text[at] == '\n' || text[at] == '\r'; };
  for (; i < text.size() && text[i] != '='; ++i) {
    if (is_break(i)) continue;
    const int value = base64_table[static_cast<unsigned char>(text[i])];
    bad_index = i;
    if (value < 0) return false;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++have < 4) continue;
    for (int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 0xFF);
    group = 0;
    have = 0;
  }
  std::size_t padding = 0;
  for (; i < text.size(); ++i) {
    if (is_break(i)) continue;
    bad_index = i;
    if (text[i] != '=' || ++padding > 2) return false;
  }
  bad_index = text.size();
  if (have == 0 && padding == 0) return true;
  if (have < 2 || have + padding != 4) return false;
  group <<= 6 * (4 - have);
  bytes += static_cast<char>(group >> 16 & 0xFF);
  if (have == 3) bytes += static_cast<char>(group >> 8 & 0xFF);
  return true;
}

}  // namespace keelson

// Base64 of "1|revision|remaining|key" and a checksum that also covers what is listed. Nothing in
// it is secret, and a forged one reads no more than its sender may list anyway.
#include "control/registry/continue_token.h"

#include <charconv>

#include "api/go_text.h"

namespace keelson {
namespace {

constexpr std::size_t checksum_digits = 16;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string checksum(std::string_view body, const Kind& kind, std::string_view name_space) {
  return fmt::format("{:016x}",
                     fnv1a(fmt::format("{}|{}|{}", body, kind.qualified_resource(), name_space)));
}

// Takes the number before the next '|'.
bool take_number(std::string_view& rest, std::int64_t& value) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{} || end == rest.data() + rest.size() || *end != '|') return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  return true;
}

std::unexpected<Error> not_valid() {
  return fail(Reason::BadRequest, "invalid continue token: continue key is not valid");
}

}  // namespace

std::string write_token(const ContinueToken& token, const Kind& kind, std::string_view name_space) {
  const std::string body = fmt::format("1|{}|{}|{}", token.revision, token.remaining, token.after);
  std::string text;
  append_base64(text, checksum(body, kind, name_space) + body);
  return text;
}

Result<ContinueToken> read_token(std::string_view text, const Kind& kind,
                                 std::string_view name_space) {
  std::string bytes;
  std::size_t bad = 0;
  if (!parse_base64(text, bytes, bad) || bytes.size() < checksum_digits) return not_valid();
  std::string_view rest(bytes);
  const std::string_view sum = rest.substr(0, checksum_digits);
  rest.remove_prefix(checksum_digits);
  if (sum != checksum(rest, kind, name_space)) return not_valid();
  std::int64_t version = 0;
  ContinueToken token;
  if (!take_number(rest, version) || version != 1 || !take_number(rest, token.revision) ||
      !take_number(rest, token.remaining)) {
    return not_valid();
  }
  token.after = rest;
  return token;
}

}  // namespace keelson

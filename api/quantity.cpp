// Quantities: a 128-bit count of billionths, and the suffix they are written with.
#include "api/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "api/proto/resource/quantity.pb.h"

namespace keelson {
namespace {

using Wide = __int128;
// 10³⁸, the last power of ten that fits: where amounts saturate.
constexpr Wide wide_max = Wide{10'000'000'000'000'000'000u} * 10'000'000'000'000'000'000u;
constexpr Wide nano_per_unit = 1'000'000'000;
constexpr Wide nano_per_milli = 1'000'000;
// A binary quantity is capped at what an int64 holds.
constexpr Wide binary_max = Wide{std::numeric_limits<std::int64_t>::max()} * nano_per_unit;

using Format = Quantity::Format;

struct Suffix {
  std::string_view text;
  Format format;
  int exponent;  // of 10, or of 2
};
constexpr Suffix suffixes[] = {
    {"", Format::Decimal, 0},   {"n", Format::Decimal, -9}, {"u", Format::Decimal, -6},
    {"m", Format::Decimal, -3}, {"k", Format::Decimal, 3},  {"M", Format::Decimal, 6},
    {"G", Format::Decimal, 9},  {"T", Format::Decimal, 12}, {"P", Format::Decimal, 15},
    {"E", Format::Decimal, 18}, {"Ki", Format::Binary, 10}, {"Mi", Format::Binary, 20},
    {"Gi", Format::Binary, 30}, {"Ti", Format::Binary, 40}, {"Pi", Format::Binary, 50},
    {"Ei", Format::Binary, 60},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take(std::string_view& text, auto matches) {
  const auto end = std::ranges::find_if_not(text, matches);
  const std::string_view taken(text.begin(), end);
  text.remove_prefix(taken.size());
  return taken;
}

// What a text consists of. False: it is not of this form.
struct Parts {
  bool negative = false;
  std::string_view whole, fraction, suffix;
};
bool split(std::string_view text, Parts& parts) {
  if (text.empty()) return false;
  parts.negative = text.starts_with('-');
  if (parts.negative || text.starts_with('+')) text.remove_prefix(1);
  parts.whole = take(text, is_digit);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = take(text, is_digit);
  }
  parts.suffix = text;
  take(text, [](char c) { return std::string_view("eEinumkMGTP K").find(c) < 11 || c == 'K'; });
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  take(text, is_digit);
  return text.empty();
}

// False: there is no such suffix.
bool interpret(std::string_view text, Suffix& suffix) {
  if (const auto* known = std::ranges::find(suffixes, text, &Suffix::text);
      known != std::end(suffixes)) {
    suffix = *known;
    return true;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  text.remove_prefix(text[1] == '+' ? 2 : 1);
  std::int64_t exponent = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != text.data() + text.size()) {
    return false;
  }
  if (parsed.ec == std::errc::result_out_of_range) return false;
  // Beyond a thousand the result is the least or the greatest amount anyway.
  suffix = {
      {}, Format::Exponent, static_cast<int>(std::clamp<std::int64_t>(exponent, -1000, 1000))};
  return true;
}

Wide saturating_multiply(Wide a, Wide b) {
  Wide product = 0;
  return __builtin_mul_overflow(a, b, &product) ? wide_max : std::min(product, wide_max);
}

Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power = saturating_multiply(power, 10);
  return power;
}

Wide divide_up(Wide a, Wide b) {
  return a / b + (a % b != 0);
}

// The digits as a number, without their last `cut`; rounded up if one of those is not zero.
Wide number_of(std::string_view whole, std::string_view fraction, int cut) {
  Wide number = 0;
  bool rest = false;
  int left = static_cast<int>(whole.size() + fraction.size()) - cut;
  for (std::string_view digits : {whole, fraction}) {
    for (char c : digits) {
      if (left-- > 0) {
        number = saturating_multiply(number, 10);
        if (number < wide_max - 9) number += c - '0';
      } else {
        rest |= c != '0';
      }
    }
  }
  return number + (rest && number < wide_max);
}

Wide decimal_nano(const Parts& parts, int exponent) {
  const int scale = exponent - static_cast<int>(parts.fraction.size()) + 9;
  const Wide number = number_of(parts.whole, parts.fraction, std::max(0, -scale));
  return scale > 0 && number != 0 ? saturating_multiply(number, power_of_ten(scale)) : number;
}

Wide binary_nano(const Parts& parts, int exponent) {
  // Eighteen digits behind the point are more than 2⁶⁰ can tell apart in billionths of a unit…
  // nearly; what is cut is rounded up.
  constexpr std::size_t fraction_digits_max = 18;
  const int cut = static_cast<int>(parts.fraction.size() -
                                   std::min(parts.fraction.size(), fraction_digits_max));
  const int digits = static_cast<int>(parts.fraction.size()) - cut;
  const Wide number = number_of(parts.whole, parts.fraction, cut);
  const Wide scaled = saturating_multiply(number, Wide{1} << exponent);
  const Wide nano = digits <= 9 ? saturating_multiply(scaled, power_of_ten(9 - digits))
                                : divide_up(scaled, power_of_ten(digits - 9));
  return std::min(nano, binary_max);
}

std::string_view suffix_of(Format format, int exponent) {
  for (const Suffix& suffix : suffixes) {
    if (suffix.format == format && suffix.exponent == exponent) return suffix.text;
  }
  return {};
}

// size: not zero, without its sign.
std::string decimal_text(Wide size, Format format) {
  int exponent = -9;
  for (; size % 10 == 0; size /= 10) ++exponent;
  for (; exponent % 3 != 0; --exponent) size *= 10;
  std::string text;
  for (; size != 0; size /= 10) text.insert(text.begin(), static_cast<char>('0' + int(size % 10)));
  if (exponent == 0) return text;
  // There is no suffix above E; the exponent says what it cannot.
  if (format == Format::Exponent || exponent > 18) return text + "e" + std::to_string(exponent);
  return text.append(suffix_of(Format::Decimal, exponent));
}

std::int64_t scaled(Wide nano, Wide unit) {
  Wide result = divide_up(nano < 0 ? -nano : nano, unit);
  if (nano < 0) result = -result;
  return static_cast<std::int64_t>(std::clamp<Wide>(
      result, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
}

Wide saturating_add(Wide a, Wide b) {
  Wide sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return std::clamp(sum, -wide_max, wide_max);
  return a < 0 ? -wide_max : wide_max;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  Parts parts;
  if (!split(text, parts)) {
    return fail(Reason::BadRequest,
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  Suffix suffix{};
  if (!interpret(parts.suffix, suffix)) {
    return fail(Reason::BadRequest, "unable to parse quantity's suffix");
  }
  const Wide nano = suffix.format == Format::Binary ? binary_nano(parts, suffix.exponent)
                                                    : decimal_nano(parts, suffix.exponent);
  return Quantity(parts.negative ? -nano : nano, suffix.format);
}

Quantity Quantity::of(const resource::Quantity& message) {
  auto parsed = parse(message.string());
  return parsed ? *parsed : Quantity();
}

Quantity Quantity::from_value(std::int64_t value, Format format) {
  return {value * nano_per_unit, format};
}

Quantity Quantity::from_milli(std::int64_t milli, Format format) {
  return {milli * nano_per_milli, format};
}

std::int64_t Quantity::value() const {
  return scaled(nano_, nano_per_unit);
}

std::int64_t Quantity::milli() const {
  return scaled(nano_, nano_per_milli);
}

std::string Quantity::text() const {
  if (nano_ == 0) return "0";
  const std::string sign = nano_ < 0 ? "-" : "";
  const Wide size = nano_ < 0 ? -nano_ : nano_;
  // Small or fractional amounts would lose precision, or read strangely, in powers of 1024.
  const bool binary =
      format_ == Format::Binary && size >= 1024 * nano_per_unit && size % nano_per_unit == 0;
  if (!binary) return sign + decimal_text(size, format_);
  Wide units = size / nano_per_unit;
  int exponent = 0;
  for (; units % 1024 == 0 && exponent < 60; units /= 1024) exponent += 10;
  std::string text = sign + std::to_string(static_cast<std::int64_t>(units));
  return exponent == 0 ? text : text.append(suffix_of(Format::Binary, exponent));
}

Quantity Quantity::operator+(const Quantity& other) const {
  return {saturating_add(nano_, other.nano_), is_zero() ? other.format_ : format_};
}

Quantity Quantity::operator-(const Quantity& other) const {
  return {saturating_add(nano_, -other.nano_), is_zero() ? other.format_ : format_};
}

}  // namespace keelson

// Numbers as text, without stdio.
#pragma once

#include <cstdint>

namespace keelson::isolation {

// Writes the digits and a NUL; returns where the NUL is. At most 21 bytes.
inline char* put_decimal(char* at, std::int64_t value) {
  char digits[20];
  int count = 0;
  const bool is_negative = value < 0;
  auto rest =
      is_negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do {
    digits[count++] = static_cast<char>('0' + rest % 10);
  } while ((rest /= 10) > 0);
  if (is_negative) *at++ = '-';
  while (count > 0) *at++ = digits[--count];
  *at = 0;
  return at;
}

}  // namespace keelson::isolation

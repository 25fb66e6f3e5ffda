// Amounts of cpu, memory and other resources: "100m", "1Gi", "1.5", "1e3". Canonical text as
// Kubernetes writes it. API-BEHAVIOUR §14.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/types.h"
#include "base/error.h"

namespace k8s::io::apimachinery::pkg::api::resource {
class Quantity;
}

namespace keelson {

class Quantity {
 public:
  enum class Format { Decimal, Binary, Exponent };  // which suffixes the text is written with
  Quantity() = default;
  static Result<Quantity> parse(std::string_view text);   // BadRequest: in Kubernetes' words
  static Quantity of(const resource::Quantity& message);  // zero if it does not parse
  static Quantity from_value(std::int64_t value, Format format = Format::Decimal);
  static Quantity from_milli(std::int64_t milli, Format format = Format::Decimal);

  std::int64_t value() const;  // rounded away from zero; saturates
  std::int64_t milli() const;  // rounded away from zero; saturates
  bool is_zero() const { return nano_ == 0; }
  bool is_negative() const { return nano_ < 0; }
  std::string text() const;  // canonical
  // A zero takes the other's format, as upstream does.
  Quantity operator+(const Quantity& other) const;
  Quantity operator-(const Quantity& other) const;
  std::strong_ordering operator<=>(const Quantity& other) const { return nano_ <=> other.nano_; }
  bool operator==(const Quantity& other) const { return nano_ == other.nano_; }

 private:
  Quantity(__int128 nano, Format format) : nano_(nano), format_(format) {}

  __int128 nano_ = 0;  // in units of 10⁻⁹, the finest Kubernetes keeps; saturates at 10²⁹ units
  Format format_ = Format::Decimal;
};

}  // namespace keelson

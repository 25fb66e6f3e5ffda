// Writes the flat specifications of spawn_wire.h.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "isolation/spawn_wire.h"

namespace keelson::isolation {

// Offsets of texts depend on how long the lists are: write_spec fills twice, first to learn that.
class SpecWriter {
 public:
  SpecWriter(std::size_t spec_size, std::size_t texts_at)
      : spec_size_(spec_size), texts_at_(texts_at) {}

  wire::Text text(std::string_view text) {
    const wire::Text at{static_cast<std::uint32_t>(texts_at_ + texts_.size()),
                        static_cast<std::uint32_t>(text.size())};
    texts_.append(text).push_back('\0');
    return at;
  }
  wire::TextList texts(const std::vector<std::string>& texts) {
    std::vector<wire::Text> elements;
    for (const auto& each : texts) elements.push_back(text(each));
    elements.push_back({});  // its end, once it is an array
    const wire::List at = list(elements);
    return {at.offset, at.count - 1};
  }
  template <typename T>
  wire::List list(const std::vector<T>& elements) {
    const wire::List at{static_cast<std::uint32_t>(spec_size_ + lists_.size()),
                        static_cast<std::uint32_t>(elements.size())};
    lists_.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
    lists_.resize((lists_.size() + 7) / 8 * 8);
    return at;
  }
  std::size_t lists_end() const { return spec_size_ + lists_.size(); }
  std::string bytes(const void* spec) const {
    return std::string(static_cast<const char*>(spec), spec_size_) + lists_ + texts_;
  }

 private:
  std::size_t spec_size_, texts_at_;
  std::string lists_, texts_;
};

// fill: void(SpecWriter&, Spec&). The bytes for the memfd.
template <typename Spec, typename Fill>
std::string write_spec(Fill fill) {
  static_assert(sizeof(Spec) % 8 == 0);
  Spec spec{};
  SpecWriter measure(sizeof spec, 0);
  fill(measure, spec);
  SpecWriter writer(sizeof spec, measure.lists_end());
  spec = {};
  fill(writer, spec);
  std::string bytes = writer.bytes(&spec);
  const wire::SpecHead head{wire::version, static_cast<std::uint32_t>(bytes.size()),
                            static_cast<std::uint32_t>(measure.lists_end()), 0};
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

}  // namespace keelson::isolation

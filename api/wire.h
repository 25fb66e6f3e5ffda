// The wire format of protobuf, as far as it is read and written without a message: envelopes,
// lists, and stored objects on their way to JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keelson {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Delimited = 2, Fixed32 = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;  // of a varint or a fixed number
  std::string_view bytes;   // of a string or a message
};

// The fields of a message one by one. Never reads beyond the bytes; what it returns points into
// them.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // False at the end, and at what cannot be a message (then failed() too).
  bool next(WireField& field) {
    if (at_ == end_) return false;
    std::uint64_t tag = 0;
    if (!varint(tag) || tag >> 3 == 0 || tag >> 32 != 0) return fail();
    field = {.number = static_cast<std::uint32_t>(tag >> 3), .type = WireType(tag & 7)};
    switch (field.type) {
      case WireType::Varint:
        return varint(field.value) || fail();
      case WireType::Delimited:
        return delimited(field.bytes) || fail();
      case WireType::Fixed64:
        return fixed(8, field.value) || fail();
      case WireType::Fixed32:
        return fixed(4, field.value) || fail();
    }
    return fail();  // groups, which nobody writes
  }
  bool failed() const { return failed_; }
  const char* at() const { return at_; }  // behind the field that was read last

 private:
  bool fail() {
    failed_ = true;
    at_ = end_;
    return false;
  }
  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool fixed(int size, std::uint64_t& value) {
    if (end_ - at_ < size) return false;
    value = 0;
    for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(at_[i]);
    at_ += size;
    return true;
  }
  bool delimited(std::string_view& bytes) {
    std::uint64_t size = 0;
    if (!varint(size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
    bytes = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

// The first field of that number; number 0: there is none.
inline WireField first_field(std::string_view message, std::uint32_t number) {
  WireReader reader(message);
  for (WireField field; reader.next(field);) {
    if (field.number == number) return field;
  }
  return {};
}

// The field with this number; number 0 if there is none, the last if there are several.
inline WireField find_field(std::string_view message, std::uint32_t number) {
  WireField found, field;
  for (WireReader reader(message); reader.next(field);) {
    if (field.number == number) found = field;
  }
  return found;
}

inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

inline void append_tag(std::string& out, std::uint32_t number, WireType type) {
  append_varint(out, static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(type));
}

inline void append_number(std::string& out, std::uint32_t number, std::uint64_t value) {
  append_tag(out, number, WireType::Varint);
  append_varint(out, value);
}

// A string, bytes or message field.
inline void append_delimited(std::string& out, std::uint32_t number, std::string_view bytes) {
  append_tag(out, number, WireType::Delimited);
  append_varint(out, bytes.size());
  out += bytes;
}

// What append_delimited takes.
inline std::size_t delimited_size(std::uint32_t number, std::size_t bytes) {
  auto varint_size = [](std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
  };
  return varint_size(static_cast<std::uint64_t>(number) << 3) + varint_size(bytes) + bytes;
}

// A message field that is written in place: open, write its fields to `out`, close. Or drop, as if
// it had never been opened.
class OpenMessage {
 public:
  OpenMessage(std::string& out, std::uint32_t number) : out_(out), before_(out.size()) {
    append_tag(out, number, WireType::Delimited);
    out += '\0';  // most messages are shorter than 128 bytes: their length takes this one byte
    begin_ = out.size();
  }
  bool empty() const { return out_.size() == begin_; }
  void drop() { out_.resize(before_); }
  void close() {
    const std::size_t size = out_.size() - begin_;
    if (size < 0x80) {
      out_[begin_ - 1] = static_cast<char>(size);
      return;
    }
    std::string length;
    append_varint(length, size);
    out_.replace(begin_ - 1, 1, length);
  }

 private:
  std::string& out_;
  std::size_t before_, begin_ = 0;
};

}  // namespace keelson

// Takes a specification from bytes that came over a socket: every offset, count, text and index is
// checked before anything is used, and text lists become the char* arrays execve wants. In place,
// without allocating.
#pragma once

#include <cstddef>

#include "isolation/spawn_wire.h"

namespace keelson::isolation {

// bytes: ours alone, writable, aligned to 8. fd_count: what came beside the memfd. On failure null,
// and *complaint names the field.
const wire::Spec* take_spec(unsigned char* bytes, std::size_t size, int fd_count,
                            const char** complaint);
const wire::ExecSpec* take_exec_spec(unsigned char* bytes, std::size_t size, int fd_count,
                                     const char** complaint);

// Reading what has been taken. spec: its first byte.
inline const char* text_of(const void* spec, wire::Text text) {
  return static_cast<const char*>(spec) + text.offset;
}
inline char* const* array_of(const void* spec, wire::TextList list) {
  return reinterpret_cast<char* const*>(
      const_cast<char*>(static_cast<const char*>(spec) + list.offset));
}
template <typename T>
const T* elements_of(const void* spec, wire::List list) {
  return reinterpret_cast<const T*>(static_cast<const char*>(spec) + list.offset);
}

}  // namespace keelson::isolation

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace lockstep::tcp {

/// Writes little-endian integers one after another. The caller gives a buffer that is large enough.
class WireWriter {
 public:
  explicit WireWriter(std::byte* at) : at_(at) {}

  template <std::integral T>
  WireWriter& put(T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) *at_++ = static_cast<std::byte>(bits >> (8 * i));
    return *this;
  }

  WireWriter& put_bytes(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
    return *this;
  }

 private:
  std::byte* at_;
};

/// Reads what WireWriter wrote. The caller has checked that enough bytes are there.
class WireReader {
 public:
  explicit WireReader(const std::byte* at) : at_(at) {}

  template <std::integral T>
  T get() {
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bits |= static_cast<std::make_unsigned_t<T>>(static_cast<std::make_unsigned_t<T>>(*at_++) << (8 * i));
    }
    return static_cast<T>(bits);
  }

  void get_bytes(std::span<std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(bytes.data(), at_, bytes.size());
    at_ += bytes.size();
  }

 private:
  const std::byte* at_;
};

}  // namespace lockstep::tcp

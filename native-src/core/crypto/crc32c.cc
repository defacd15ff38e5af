#include "core/crypto/crc32c.h"

#include <array>

#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

// "Slicing by 8" (Kounavis and Berry, 2008): TABLES[k][b] is the checksum of byte b followed by k zero bytes,
// so that eight bytes take eight independent look-ups. A 60-byte header then costs about 25 ns, byte by byte
// 100 ns.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::uint32_t previous = tables[slice - 1][byte];
      tables[slice][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr Tables TABLES = make_tables();

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = WireReader(bytes.data() + at).get<std::uint64_t>() ^ crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= TABLES[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; at < bytes.size(); ++at) {
    crc = (crc >> 8) ^ TABLES[0][(crc ^ static_cast<std::uint32_t>(bytes[at])) & 0xFF];
  }
  return ~crc;
}

}  // namespace lockstep::tcp

#include <limits>

#include "compression/codec_kernels.h"
#include "gradient/arguments.h"
#include "lockstep/compression.h"

namespace lockstep {
namespace {

std::size_t codec_index(const gradient::Arguments& check, std::int32_t codec) {
  const auto index = static_cast<std::size_t>(codec);
  if (index >= CODECS) check.refuse("codec", std::to_string(codec), "must be the code of a Codec, 0 to 4");
  return index;
}

/// What 32 bits of randomness the kernels start from (SplitMix64, Steele et al. 2014).
std::uint32_t mixed(std::int64_t seed) {
  auto z = static_cast<std::uint64_t>(seed) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32);
}

}  // namespace

std::int64_t encoded_bytes(std::int32_t codec, std::int64_t count) {
  const gradient::Arguments check("encoded_bytes");
  const std::size_t index = codec_index(check, codec);
  check.count(count);
  constexpr std::int64_t LIMIT = std::numeric_limits<std::int64_t>::max() / 8;
  if (count > LIMIT) check.refuse("count", std::to_string(count), "must be a number of elements in memory");
  constexpr auto BLOCK = static_cast<std::int64_t>(SCALE_BLOCK);
  const std::int64_t scales = (count + BLOCK - 1) / BLOCK * 4;
  switch (static_cast<Codec>(index)) {
    case Codec::FLOAT16:
    case Codec::BFLOAT16:
      return 2 * count;
    case Codec::INT8:
    case Codec::INT8_STOCHASTIC:
      return scales + count;
    case Codec::ONE_BIT:
      break;
  }
  return scales + (count + 7) / 8;
}

void encode(std::int32_t codec, std::int64_t values, std::int64_t count, std::int64_t output,
            std::int64_t residual, double carry, double keep, std::int64_t seed) {
  const gradient::Arguments check("encode");
  const std::size_t index = codec_index(check, codec);
  const std::size_t size = check.count(count);
  const void* from = check.address("values", values, count);
  void* to = check.address("output", output, count);
  variant_in_use(variants_of_codec_kernels)
      .encode[index]({.values = from,
                      .count = size,
                      .output = to,
                      .residual = residual == 0 ? nullptr : check.address("residual", residual, count),
                      .carry = check.finite_float("carry", carry),
                      .keep = check.finite_float("keep", keep),
                      .seed = mixed(seed)});
}

void decode(std::int32_t codec, std::int64_t input, std::int64_t count, std::int64_t output, bool add) {
  const gradient::Arguments check("decode");
  const std::size_t index = codec_index(check, codec);
  const std::size_t size = check.count(count);
  const void* from = check.address("input", input, count);
  void* to = check.address("output", output, count);
  variant_in_use(variants_of_codec_kernels).decode[index](from, size, to, add);
}

}  // namespace lockstep

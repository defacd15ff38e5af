#include "core/reduce_kernels.h"

#include "core/half_conversion.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

template <typename T>
constexpr bool IS_FLOAT = __is_same(T, float) || __is_same(T, double);

template <typename T>
struct BitsOf {
  using Type = std::uint32_t;
};
template <>
struct BitsOf<double> {
  using Type = std::uint64_t;
};
template <>
struct BitsOf<std::int64_t> {
  using Type = std::uint64_t;
};

// Which NaN comes out of two, and its sign, depends on the processor and on the order of the operands. One
// NaN for all keeps the bits equal on every rank, whichever side of the exchange it computes.
template <typename T>
T canonical(T value) {
  if constexpr (__is_same(T, float)) {
    return value != value ? __builtin_nanf("") : value;
  } else {
    return value != value ? __builtin_nan("") : value;
  }
}

// Integers are combined unsigned: their overflow wraps around instead of being undefined.
struct Sum {
  template <typename T>
  static T apply(T left, T right) {
    if constexpr (IS_FLOAT<T>) {
      return canonical(left + right);
    } else {
      using Bits = typename BitsOf<T>::Type;
      return static_cast<T>(static_cast<Bits>(left) + static_cast<Bits>(right));
    }
  }
};

struct Product {
  template <typename T>
  static T apply(T left, T right) {
    if constexpr (IS_FLOAT<T>) {
      return canonical(left * right);
    } else {
      using Bits = typename BitsOf<T>::Type;
      return static_cast<T>(static_cast<Bits>(left) * static_cast<Bits>(right));
    }
  }
};

// minimum and maximum of IEEE 754-2019: NaN wins, and −0 lies below +0. Operands that compare equal differ at
// most in the sign of a zero, which OR sets and AND clears.
struct Minimum {
  template <typename T>
  static T apply(T left, T right) {
    if constexpr (IS_FLOAT<T>) {
      using Bits = typename BitsOf<T>::Type;
      T either = __builtin_bit_cast(T, __builtin_bit_cast(Bits, left) | __builtin_bit_cast(Bits, right));
      T smaller = left < right ? left : right;
      return canonical(left == right ? either : (left != left ? left : smaller));
    } else {
      return left < right ? left : right;
    }
  }
};

struct Maximum {
  template <typename T>
  static T apply(T left, T right) {
    if constexpr (IS_FLOAT<T>) {
      using Bits = typename BitsOf<T>::Type;
      T both = __builtin_bit_cast(T, __builtin_bit_cast(Bits, left) & __builtin_bit_cast(Bits, right));
      T larger = left > right ? left : right;
      return canonical(left == right ? both : (left != left ? left : larger));
    } else {
      return left > right ? left : right;
    }
  }
};

template <typename T, typename Op>
void combine(void* target, const void* left, const void* right, std::size_t count) {
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) store<T>(target, i, Op::apply(load<T>(left, i), load<T>(right, i)));
}

template <typename Format, typename Op>
void combine_half(void* target, const void* left, const void* right, std::size_t count) {
  alignas(64) float wide_left[BLOCK];
  alignas(64) float wide_right[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    std::size_t offset = begin * sizeof(std::uint16_t);
    widen_block<Format>(wide_left, static_cast<const char*>(left) + offset, size);
    widen_block<Format>(wide_right, static_cast<const char*>(right) + offset, size);
    combine<float, Op>(wide_left, wide_left, wide_right, size);
    narrow_block<Format>(static_cast<char*>(target) + offset, wide_left, size);
  }
}

template <typename T>
void divide(void* data, std::size_t count, int ranks) {
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (IS_FLOAT<T>) {
      store<T>(data, i, canonical(load<T>(data, i) / static_cast<T>(ranks)));
    } else {
      store<T>(data, i, static_cast<T>(load<T>(data, i) / ranks));
    }
  }
}

template <typename Format>
void divide_half(void* data, std::size_t count, int ranks) {
  alignas(64) float wide[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    char* block = static_cast<char*>(data) + begin * sizeof(std::uint16_t);
    widen_block<Format>(wide, block, size);
    divide<float>(wide, size, ranks);
    narrow_block<Format>(block, wide, size);
  }
}

}  // namespace

// AVERAGE accumulates like SUM.
#define LOCKSTEP_ROW(function, T) \
  { function<T, Sum>, function<T, Sum>, function<T, Minimum>, function<T, Maximum>, function<T, Product> }

extern const ReduceKernels reduce_kernels = {
    {LOCKSTEP_ROW(combine, float), LOCKSTEP_ROW(combine, double), LOCKSTEP_ROW(combine_half, F16),
     LOCKSTEP_ROW(combine_half, Bf16), LOCKSTEP_ROW(combine, std::int32_t),
     LOCKSTEP_ROW(combine, std::int64_t), LOCKSTEP_ROW(combine, std::uint8_t)},
    {divide<float>, divide<double>, divide_half<F16>, divide_half<Bf16>, divide<std::int32_t>,
     divide<std::int64_t>, divide<std::uint8_t>}};

}  // namespace lockstep::LOCKSTEP_ISA

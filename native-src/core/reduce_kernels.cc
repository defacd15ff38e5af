#include "core/reduce_kernels.h"

#include "core/element.h"

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

template <typename Format, typename Op>
void combine(void* target, const void* left, const void* right, std::size_t count) {
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    Format::write(target, i, Op::apply(Format::read(left, i), Format::read(right, i)));
  }
}

template <typename Op>
void combine_f16(void* target, const void* left, const void* right, std::size_t count) {
  alignas(64) float wide_left[BLOCK];
  alignas(64) float wide_right[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    std::size_t offset = begin * sizeof(std::uint16_t);
    widen_f16(wide_left, static_cast<const char*>(left) + offset, size);
    widen_f16(wide_right, static_cast<const char*>(right) + offset, size);
    combine<F32, Op>(wide_left, wide_left, wide_right, size);
    narrow_f16(static_cast<char*>(target) + offset, wide_left, size);
  }
}

template <typename Format>
void divide(void* data, std::size_t count, int ranks) {
  using T = typename Format::Value;
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (IS_FLOAT<T>) {
      Format::write(data, i, canonical(Format::read(data, i) / static_cast<T>(ranks)));
    } else {
      Format::write(data, i, static_cast<T>(Format::read(data, i) / ranks));
    }
  }
}

void divide_f16(void* data, std::size_t count, int ranks) {
  update_f16(data, count,
             [ranks](float* wide, std::size_t, std::size_t size) { divide<F32>(wide, size, ranks); });
}

using I32 = Plain<std::int32_t>;
using I64 = Plain<std::int64_t>;
using U8 = Plain<std::uint8_t>;

}  // namespace

// AVERAGE accumulates like SUM.
#define LOCKSTEP_ROW(F) \
  { combine<F, Sum>, combine<F, Sum>, combine<F, Minimum>, combine<F, Maximum>, combine<F, Product> }

extern const ReduceKernels reduce_kernels = {
    {LOCKSTEP_ROW(F32),
     LOCKSTEP_ROW(F64),
     {combine_f16<Sum>, combine_f16<Sum>, combine_f16<Minimum>, combine_f16<Maximum>, combine_f16<Product>},
     LOCKSTEP_ROW(Bf16),
     LOCKSTEP_ROW(I32),
     LOCKSTEP_ROW(I64),
     LOCKSTEP_ROW(U8)},
    {divide<F32>, divide<F64>, divide_f16, divide<Bf16>, divide<I32>, divide<I64>, divide<U8>}};

}  // namespace lockstep::LOCKSTEP_ISA

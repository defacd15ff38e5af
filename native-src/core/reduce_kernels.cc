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

/// The plain formats of what is accumulated: the values themselves.
template <typename Format, typename Op>
void fold(void* target, const void* const* sources, std::size_t source_count, std::size_t count,
          int divisor) {
  using T = typename Format::Value;
  if (__is_same(Format, Plain<T>) && source_count == 2 && divisor == 1) {
    combine<Format, Op>(target, sources[0], sources[1], count);
    return;
  }
  alignas(64) T sum[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    const std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) {
      sum[i] = Op::apply(Format::read(sources[0], begin + i), Format::read(sources[1], begin + i));
    }
    for (std::size_t k = 2; k < source_count; ++k) {
      const void* const source = sources[k];
      LOCKSTEP_INDEPENDENT
      for (std::size_t i = 0; i < size; ++i) sum[i] = Op::apply(sum[i], Format::read(source, begin + i));
    }
    if (divisor != 1) divide<Plain<T>>(sum, size, divisor);
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) Format::write(target, begin + i, sum[i]);
  }
}

template <typename Op>
void fold_f16(void* target, const void* const* sources, std::size_t source_count, std::size_t count,
              int divisor) {
  alignas(64) float sum[BLOCK];
  alignas(64) float wide[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    const std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    const std::size_t offset = begin * sizeof(std::uint16_t);
    widen_f16(sum, static_cast<const char*>(sources[0]) + offset, size);
    for (std::size_t k = 1; k < source_count; ++k) {
      widen_f16(wide, static_cast<const char*>(sources[k]) + offset, size);
      combine<F32, Op>(sum, sum, wide, size);
    }
    if (divisor != 1) divide<F32>(sum, size, divisor);
    narrow_f16(static_cast<char*>(target) + offset, sum, size);
  }
}

using I32 = Plain<std::int32_t>;
using I64 = Plain<std::int64_t>;
using U8 = Plain<std::uint8_t>;

}  // namespace

// AVERAGE accumulates like SUM.
#define LOCKSTEP_ROW(kernel, F) \
  { kernel<F, Sum>, kernel<F, Sum>, kernel<F, Minimum>, kernel<F, Maximum>, kernel<F, Product> }
#define LOCKSTEP_F16_ROW(kernel) \
  { kernel<Sum>, kernel<Sum>, kernel<Minimum>, kernel<Maximum>, kernel<Product> }
#define LOCKSTEP_ROWS(kernel)                                                             \
  {                                                                                       \
    LOCKSTEP_ROW(kernel, F32), LOCKSTEP_ROW(kernel, F64), LOCKSTEP_F16_ROW(kernel##_f16), \
        LOCKSTEP_ROW(kernel, Bf16), LOCKSTEP_ROW(kernel, I32), LOCKSTEP_ROW(kernel, I64), \
        LOCKSTEP_ROW(kernel, U8)                                                          \
  }

extern const ReduceKernels reduce_kernels = {
    LOCKSTEP_ROWS(combine),
    {divide<F32>, divide<F64>, divide_f16, divide<Bf16>, divide<I32>, divide<I64>, divide<U8>},
    LOCKSTEP_ROWS(fold)};

}  // namespace lockstep::LOCKSTEP_ISA

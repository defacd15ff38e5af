#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gradient/adam_kernels.h"
#include "lockstep/types.h"

namespace lockstep::gradient {

/// The arguments of adam_step() (lockstep/gradient.h), as they come from Java.
struct AdamArguments {
  std::int64_t parameters, gradients, first_moment, second_moment, count;
  std::int32_t type;
  std::int64_t step;
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  bool decoupled_weight_decay;
};

/// One checked step of Adam, to be applied as a whole or in parts.
class AdamStep {
 public:
  /// @param function for messages @throws Error INVALID_ARGUMENT
  AdamStep(const char* function, const AdamArguments& arguments);

  std::size_t count() const { return count_; }
  DataType type() const { return type_; }
  const std::byte* gradients() const { return gradients_; }
  std::span<const std::byte> parameters() const;
  std::span<const std::byte> first_moment() const;
  std::span<const std::byte> second_moment() const;

  /// Updates elements [begin, begin + count) by `gradients`, which are those elements'.
  void apply(std::size_t begin, std::size_t count, const std::byte* gradients) const;

 private:
  std::size_t count_;
  DataType type_;
  std::byte* parameters_;
  const std::byte* gradients_;
  std::byte* first_moment_;
  std::byte* second_moment_;
  AdamCoefficients coefficients_;
};

}  // namespace lockstep::gradient

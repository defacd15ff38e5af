#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gradient/sgd_kernels.h"
#include "lockstep/types.h"

namespace lockstep::gradient {

/// The arguments of sgd_step() (lockstep/gradient.h), as they come from Java.
struct SgdArguments {
  std::int64_t parameters, gradients, momentum_state, count;
  std::int32_t type;
  std::int64_t step;
  double learning_rate, momentum, dampening, weight_decay;
  bool nesterov;
};

/// One checked step of gradient descent, to be applied as a whole or in parts.
class SgdStep {
 public:
  /// @param function for messages @throws Error INVALID_ARGUMENT
  SgdStep(const char* function, const SgdArguments& arguments);

  std::size_t count() const { return count_; }
  DataType type() const { return type_; }
  const std::byte* gradients() const { return gradients_; }
  std::span<const std::byte> parameters() const;
  std::span<const std::byte> momentum_state() const;

  /// Updates elements [begin, begin + count) by `gradients`, which are those elements'.
  void apply(std::size_t begin, std::size_t count, const std::byte* gradients) const;

 private:
  std::size_t count_;
  DataType type_;
  std::byte* parameters_;
  const std::byte* gradients_;
  std::byte* momentum_state_ = nullptr;  ///< null without momentum
  SgdCoefficients coefficients_;
};

}  // namespace lockstep::gradient

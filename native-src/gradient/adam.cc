#include <cmath>

#include "gradient/adam_kernels.h"
#include "gradient/arguments.h"
#include "lockstep/gradient.h"

namespace lockstep {
namespace {

// base^exponent by squaring. The libraries' pow() has other last bits on other CPUs, and ranks must agree.
double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

}  // namespace

void adam_step(std::int64_t parameters, std::int64_t gradients, std::int64_t first_moment,
               std::int64_t second_moment, std::int64_t count, std::int32_t type, std::int64_t step,
               double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
               bool decoupled_weight_decay) {
  gradient::Arguments check("adam_step");
  std::size_t size = check.count(count);
  std::size_t index = check.floating_type(type);
  void* p = check.address("parameters", parameters, count);
  void* g = check.address("gradients", gradients, count);
  void* m = check.address("first_moment", first_moment, count);
  void* v = check.address("second_moment", second_moment, count);
  check.at_least_one("step", step);
  check.finite_and_not_negative("learning_rate", learning_rate);
  check.fraction("beta1", beta1);
  check.fraction("beta2", beta2);
  check.finite_and_not_negative("epsilon", epsilon);
  check.finite_and_not_negative("weight_decay", weight_decay);

  AdamCoefficients coefficients{
      .shrink = decoupled_weight_decay ? 1 - learning_rate * weight_decay : 1,
      .weight_decay = decoupled_weight_decay ? 0 : weight_decay,
      .beta1 = beta1,
      .one_minus_beta1 = 1 - beta1,
      .beta2 = beta2,
      .one_minus_beta2 = 1 - beta2,
      .root_correction = 1 / std::sqrt(1 - power(beta2, step)),
      .epsilon = epsilon,
      .step_size = learning_rate / (1 - power(beta1, step)),
  };
  variant_in_use(variants_of_adam_kernels).step[index](p, g, m, v, size, coefficients);
}

}  // namespace lockstep

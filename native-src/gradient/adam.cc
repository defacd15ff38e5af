#include <cmath>

#include "gradient/adam_kernels.h"
#include "gradient/arguments.h"
#include "lockstep/gradient.h"

namespace lockstep {

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

  auto steps = static_cast<double>(step);
  AdamCoefficients coefficients{
      .shrink = decoupled_weight_decay ? 1 - learning_rate * weight_decay : 1,
      .weight_decay = decoupled_weight_decay ? 0 : weight_decay,
      .beta1 = beta1,
      .one_minus_beta1 = 1 - beta1,
      .beta2 = beta2,
      .one_minus_beta2 = 1 - beta2,
      .root_correction = 1 / std::sqrt(1 - std::pow(beta2, steps)),
      .epsilon = epsilon,
      .step_size = learning_rate / (1 - std::pow(beta1, steps)),
  };
  variant_in_use(variants_of_adam_kernels).step[index](p, g, m, v, size, coefficients);
}

}  // namespace lockstep

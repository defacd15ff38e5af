#include "gradient/arguments.h"
#include "gradient/sgd_kernels.h"
#include "lockstep/gradient.h"

namespace lockstep {

void sgd_step(std::int64_t parameters, std::int64_t gradients, std::int64_t momentum_state,
              std::int64_t count, std::int32_t type, std::int64_t step, double learning_rate, double momentum,
              double dampening, double weight_decay, bool nesterov) {
  gradient::Arguments check("sgd_step");
  std::size_t size = check.count(count);
  std::size_t index = check.floating_type(type);
  void* p = check.address("parameters", parameters, count);
  void* g = check.address("gradients", gradients, count);
  check.at_least_one("step", step);
  check.finite_and_not_negative("learning_rate", learning_rate);
  check.finite_and_not_negative("momentum", momentum);
  check.finite("dampening", dampening);
  check.finite_and_not_negative("weight_decay", weight_decay);
  if (nesterov && (momentum == 0 || dampening != 0)) {
    check.refuse("nesterov", "true", "needs a momentum above 0 and a dampening of 0");
  }

  SgdCoefficients coefficients{
      .learning_rate = learning_rate,
      .momentum = momentum,
      .one_minus_dampening = 1 - dampening,
      .weight_decay = weight_decay,
      .nesterov = nesterov,
      .first_step = step == 1,
  };
  const SgdKernels& kernels = variant_in_use(variants_of_sgd_kernels);
  if (momentum == 0) {
    kernels.plain[index](p, g, size, coefficients);
  } else {
    void* m = check.address("momentum_state", momentum_state, count);
    kernels.momentum[index](p, g, m, size, coefficients);
  }
}

}  // namespace lockstep

#include "gradient/adam.h"

#include <cmath>

#include "core/data_type.h"
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

namespace gradient {

AdamStep::AdamStep(const char* function, const AdamArguments& arguments) : type_(DataType::F32) {
  const Arguments check(function);
  count_ = check.count(arguments.count);
  type_ = static_cast<DataType>(check.floating_type(arguments.type));
  auto memory = [&](const char* name, std::int64_t address) {
    return static_cast<std::byte*>(check.address(name, address, arguments.count));
  };
  parameters_ = memory("parameters", arguments.parameters);
  gradients_ = memory("gradients", arguments.gradients);
  first_moment_ = memory("first_moment", arguments.first_moment);
  second_moment_ = memory("second_moment", arguments.second_moment);
  check.at_least_one("step", arguments.step);
  check.finite_and_not_negative("learning_rate", arguments.learning_rate);
  check.fraction("beta1", arguments.beta1);
  check.fraction("beta2", arguments.beta2);
  check.finite_and_not_negative("epsilon", arguments.epsilon);
  check.finite_and_not_negative("weight_decay", arguments.weight_decay);
  const bool is_decoupled = arguments.decoupled_weight_decay;
  coefficients_ = {
      .shrink = is_decoupled ? 1 - arguments.learning_rate * arguments.weight_decay : 1,
      .weight_decay = is_decoupled ? 0 : arguments.weight_decay,
      .beta1 = arguments.beta1,
      .one_minus_beta1 = 1 - arguments.beta1,
      .beta2 = arguments.beta2,
      .one_minus_beta2 = 1 - arguments.beta2,
      .root_correction = 1 / std::sqrt(1 - power(arguments.beta2, arguments.step)),
      .epsilon = arguments.epsilon,
      .step_size = arguments.learning_rate / (1 - power(arguments.beta1, arguments.step)),
  };
}

std::span<const std::byte> AdamStep::parameters() const { return {parameters_, count_ * size_of(type_)}; }
std::span<const std::byte> AdamStep::first_moment() const {
  return {first_moment_, count_ * state_bytes(type_)};
}
std::span<const std::byte> AdamStep::second_moment() const {
  return {second_moment_, count_ * state_bytes(type_)};
}

void AdamStep::apply(std::size_t begin, std::size_t count, const std::byte* gradients) const {
  variant_in_use(variants_of_adam_kernels)
      .step[static_cast<std::size_t>(type_)](
          parameters_ + begin * size_of(type_), gradients, first_moment_ + begin * state_bytes(type_),
          second_moment_ + begin * state_bytes(type_), count, coefficients_);
}

}  // namespace gradient

void adam_step(std::int64_t parameters, std::int64_t gradients, std::int64_t first_moment,
               std::int64_t second_moment, std::int64_t count, std::int32_t type, std::int64_t step,
               double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
               bool decoupled_weight_decay) {
  const gradient::AdamStep whole(
      "adam_step", {parameters, gradients, first_moment, second_moment, count, type, step, learning_rate,
                    beta1, beta2, epsilon, weight_decay, decoupled_weight_decay});
  whole.apply(0, whole.count(), whole.gradients());
}

}  // namespace lockstep

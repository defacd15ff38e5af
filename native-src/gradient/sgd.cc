#include "gradient/sgd.h"

#include "core/data_type.h"
#include "gradient/arguments.h"
#include "lockstep/gradient.h"

namespace lockstep {
namespace gradient {

SgdStep::SgdStep(const char* function, const SgdArguments& arguments) : type_(DataType::F32) {
  const Arguments check(function);
  count_ = check.count(arguments.count);
  type_ = static_cast<DataType>(check.floating_type(arguments.type));
  parameters_ = static_cast<std::byte*>(check.address("parameters", arguments.parameters, arguments.count));
  gradients_ = static_cast<std::byte*>(check.address("gradients", arguments.gradients, arguments.count));
  check.at_least_one("step", arguments.step);
  check.finite_and_not_negative("learning_rate", arguments.learning_rate);
  check.finite_and_not_negative("momentum", arguments.momentum);
  check.finite("dampening", arguments.dampening);
  check.finite_and_not_negative("weight_decay", arguments.weight_decay);
  if (arguments.nesterov && (arguments.momentum == 0 || arguments.dampening != 0)) {
    check.refuse("nesterov", "true", "needs a momentum above 0 and a dampening of 0");
  }
  if (arguments.momentum != 0) {
    momentum_state_ =
        static_cast<std::byte*>(check.address("momentum_state", arguments.momentum_state, arguments.count));
  }
  coefficients_ = {
      .learning_rate = arguments.learning_rate,
      .momentum = arguments.momentum,
      .one_minus_dampening = 1 - arguments.dampening,
      .weight_decay = arguments.weight_decay,
      .nesterov = arguments.nesterov,
      .first_step = arguments.step == 1,
  };
}

std::span<const std::byte> SgdStep::parameters() const { return {parameters_, count_ * size_of(type_)}; }

std::span<const std::byte> SgdStep::momentum_state() const {
  return {momentum_state_, momentum_state_ == nullptr ? 0 : count_ * state_bytes(type_)};
}

void SgdStep::apply(std::size_t begin, std::size_t count, const std::byte* gradients) const {
  const SgdKernels& kernels = variant_in_use(variants_of_sgd_kernels);
  const auto index = static_cast<std::size_t>(type_);
  std::byte* const parameters = parameters_ + begin * size_of(type_);
  if (momentum_state_ == nullptr) {
    kernels.plain[index](parameters, gradients, count, coefficients_);
  } else {
    kernels.momentum[index](parameters, gradients, momentum_state_ + begin * state_bytes(type_), count,
                            coefficients_);
  }
}

}  // namespace gradient

void sgd_step(std::int64_t parameters, std::int64_t gradients, std::int64_t momentum_state,
              std::int64_t count, std::int32_t type, std::int64_t step, double learning_rate, double momentum,
              double dampening, double weight_decay, bool nesterov) {
  const gradient::SgdStep whole("sgd_step", {parameters, gradients, momentum_state, count, type, step,
                                             learning_rate, momentum, dampening, weight_decay, nesterov});
  whole.apply(0, whole.count(), whole.gradients());
}

}  // namespace lockstep

#include "lockstep/fused.h"

#include "gradient/adam.h"
#include "gradient/sgd.h"
#include "jni/boundary.h"
#include "jni/communicators.h"

namespace lockstep {
namespace {

/// @param state of the optimiser, in parts
template <typename Step>
void run_step(std::int64_t communicator, bool reduces, const Step& step,
              std::span<const std::byte> first_state, std::span<const std::byte> second_state) {
  StepPlan plan;
  plan.reduces = reduces;
  plan.shared = {step.parameters(), first_state, second_state};
  plan.update = [&step](std::size_t begin, std::size_t count, const std::byte* gradients) {
    step.apply(begin, count, gradients);
  };
  communicators().find(communicator)->reduce_step(step.gradients(), step.count(), step.type(), plan);
}

}  // namespace

void reduce_sgd_step(std::int64_t communicator, bool reduces, std::int64_t parameters, std::int64_t gradients,
                     std::int64_t momentum_state, std::int64_t count, std::int32_t type, std::int64_t step,
                     double learning_rate, double momentum, double dampening, double weight_decay,
                     bool nesterov) {
  at_boundary([&] {
    const gradient::SgdStep sgd(
        "reduce_sgd_step", {parameters, gradients, momentum_state, count, type, step, learning_rate, momentum,
                            dampening, weight_decay, nesterov});
    run_step(communicator, reduces, sgd, sgd.momentum_state(), {});
  });
}

void reduce_adam_step(std::int64_t communicator, bool reduces, std::int64_t parameters,
                      std::int64_t gradients, std::int64_t first_moment, std::int64_t second_moment,
                      std::int64_t count, std::int32_t type, std::int64_t step, double learning_rate,
                      double beta1, double beta2, double epsilon, double weight_decay,
                      bool decoupled_weight_decay) {
  at_boundary([&] {
    const gradient::AdamStep adam(
        "reduce_adam_step", {parameters, gradients, first_moment, second_moment, count, type, step,
                             learning_rate, beta1, beta2, epsilon, weight_decay, decoupled_weight_decay});
    run_step(communicator, reduces, adam, adam.first_moment(), adam.second_moment());
  });
}

}  // namespace lockstep

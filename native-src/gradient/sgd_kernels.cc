#include "gradient/sgd_kernels.h"

#include "core/element.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

template <typename Format>
void plain(void* parameters, const void* gradients, std::size_t count, const SgdCoefficients& coefficients) {
  using T = typename Format::Value;
  const T learning_rate = static_cast<T>(coefficients.learning_rate);
  const T weight_decay = static_cast<T>(coefficients.weight_decay);
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    T p = Format::read(parameters, i);
    T g = Format::read(gradients, i);
    // Without decay an infinite parameter leaves the gradient alone, which 0·p would not.
    g = weight_decay != 0 ? g + weight_decay * p : g;
    Format::write(parameters, i, p - learning_rate * g);
  }
}

// Sutskever et al. 2013, in the form of torch.optim.SGD, where the learning rate scales the whole velocity.
template <typename Format>
void momentum(void* parameters, const void* gradients, void* momentum_state, std::size_t count,
              const SgdCoefficients& coefficients) {
  using T = typename Format::Value;
  const T learning_rate = static_cast<T>(coefficients.learning_rate);
  const T weight_decay = static_cast<T>(coefficients.weight_decay);
  const T momentum = static_cast<T>(coefficients.momentum);
  const T one_minus_dampening = static_cast<T>(coefficients.one_minus_dampening);
  const bool nesterov = coefficients.nesterov;
  const bool first_step = coefficients.first_step;
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    T p = Format::read(parameters, i);
    T g = Format::read(gradients, i);
    g = weight_decay != 0 ? g + weight_decay * p : g;
    T m = momentum * Plain<T>::read(momentum_state, i) + one_minus_dampening * g;
    m = first_step ? g : m;
    Plain<T>::write(momentum_state, i, m);
    Format::write(parameters, i, p - learning_rate * (nesterov ? g + momentum * m : m));
  }
}

void plain_f16(void* parameters, const void* gradients, std::size_t count,
               const SgdCoefficients& coefficients) {
  update_f16_from(parameters, gradients, count, [&](float* p, const float* g, std::size_t, std::size_t size) {
    plain<F32>(p, g, size, coefficients);
  });
}

void momentum_f16(void* parameters, const void* gradients, void* momentum_state, std::size_t count,
                  const SgdCoefficients& coefficients) {
  update_f16_from(
      parameters, gradients, count, [&](float* p, const float* g, std::size_t begin, std::size_t size) {
        momentum<F32>(p, g, static_cast<char*>(momentum_state) + begin * sizeof(float), size, coefficients);
      });
}

}  // namespace

extern const SgdKernels sgd_kernels = {{plain<F32>, plain<F64>, plain_f16, plain<Bf16>},
                                       {momentum<F32>, momentum<F64>, momentum_f16, momentum<Bf16>}};

}  // namespace lockstep::LOCKSTEP_ISA

#include "gradient/sgd_kernels.h"

#include "core/half_conversion.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

template <typename T>
void plain(void* parameters, const void* gradients, std::size_t count, const SgdCoefficients& coefficients) {
  const T learning_rate = static_cast<T>(coefficients.learning_rate);
  const T weight_decay = static_cast<T>(coefficients.weight_decay);
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    T p = load<T>(parameters, i);
    T g = load<T>(gradients, i);
    // Without decay an infinite parameter leaves the gradient alone, which 0·p would not.
    g = weight_decay != 0 ? g + weight_decay * p : g;
    store<T>(parameters, i, p - learning_rate * g);
  }
}

// Sutskever et al. 2013, in the form of torch.optim.SGD, where the learning rate scales the whole velocity.
template <typename T>
void momentum(void* parameters, const void* gradients, void* momentum_state, std::size_t count,
              const SgdCoefficients& coefficients) {
  const T learning_rate = static_cast<T>(coefficients.learning_rate);
  const T weight_decay = static_cast<T>(coefficients.weight_decay);
  const T momentum = static_cast<T>(coefficients.momentum);
  const T one_minus_dampening = static_cast<T>(coefficients.one_minus_dampening);
  const bool nesterov = coefficients.nesterov;
  const bool first_step = coefficients.first_step;
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    T p = load<T>(parameters, i);
    T g = load<T>(gradients, i);
    g = weight_decay != 0 ? g + weight_decay * p : g;
    T m = momentum * load<T>(momentum_state, i) + one_minus_dampening * g;
    m = first_step ? g : m;
    store<T>(momentum_state, i, m);
    store<T>(parameters, i, p - learning_rate * (nesterov ? g + momentum * m : m));
  }
}

template <typename Format>
void plain_half(void* parameters, const void* gradients, std::size_t count,
                const SgdCoefficients& coefficients) {
  update_in_blocks<Format>(parameters, gradients, count,
                           [&](float* p, const float* g, std::size_t, std::size_t size) {
                             plain<float>(p, g, size, coefficients);
                           });
}

template <typename Format>
void momentum_half(void* parameters, const void* gradients, void* momentum_state, std::size_t count,
                   const SgdCoefficients& coefficients) {
  update_in_blocks<Format>(
      parameters, gradients, count, [&](float* p, const float* g, std::size_t begin, std::size_t size) {
        momentum<float>(p, g, static_cast<char*>(momentum_state) + begin * sizeof(float), size, coefficients);
      });
}

}  // namespace

extern const SgdKernels sgd_kernels = {
    {plain<float>, plain<double>, plain_half<F16>, plain_half<Bf16>},
    {momentum<float>, momentum<double>, momentum_half<F16>, momentum_half<Bf16>}};

}  // namespace lockstep::LOCKSTEP_ISA

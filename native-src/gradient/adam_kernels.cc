#include "gradient/adam_kernels.h"

#include "core/element.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

float square_root(float value) { return __builtin_sqrtf(value); }
double square_root(double value) { return __builtin_sqrt(value); }

// Kingma & Ba 2015, algorithm 1, with the bias corrections folded into step_size and root_correction as in
// their section 2; Loshchilov & Hutter 2019, algorithm 2, for the decoupled decay.
template <typename Format>
void step(void* parameters, const void* gradients, void* first_moment, void* second_moment, std::size_t count,
          const AdamCoefficients& coefficients) {
  using T = typename Format::Value;
  using State = Plain<T>;
  const T shrink = static_cast<T>(coefficients.shrink);
  const T weight_decay = static_cast<T>(coefficients.weight_decay);
  const T beta1 = static_cast<T>(coefficients.beta1);
  const T one_minus_beta1 = static_cast<T>(coefficients.one_minus_beta1);
  const T beta2 = static_cast<T>(coefficients.beta2);
  const T one_minus_beta2 = static_cast<T>(coefficients.one_minus_beta2);
  const T root_correction = static_cast<T>(coefficients.root_correction);
  const T epsilon = static_cast<T>(coefficients.epsilon);
  const T step_size = static_cast<T>(coefficients.step_size);
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    T p = Format::read(parameters, i) * shrink;
    T g = Format::read(gradients, i);
    // Without decay an infinite parameter leaves the gradient alone, which 0·p would not.
    g = weight_decay != 0 ? g + weight_decay * p : g;
    T m = beta1 * State::read(first_moment, i) + one_minus_beta1 * g;
    T v = beta2 * State::read(second_moment, i) + one_minus_beta2 * (g * g);
    State::write(first_moment, i, m);
    State::write(second_moment, i, v);
    Format::write(parameters, i, p - step_size * (m / (square_root(v) * root_correction + epsilon)));
  }
}

void step_f16(void* parameters, const void* gradients, void* first_moment, void* second_moment,
              std::size_t count, const AdamCoefficients& coefficients) {
  update_f16_from(parameters, gradients, count,
                  [&](float* p, const float* g, std::size_t begin, std::size_t size) {
                    step<F32>(p, g, static_cast<char*>(first_moment) + begin * sizeof(float),
                              static_cast<char*>(second_moment) + begin * sizeof(float), size, coefficients);
                  });
}

}  // namespace

extern const AdamKernels adam_kernels = {{step<F32>, step<F64>, step_f16, step<Bf16>}};

}  // namespace lockstep::LOCKSTEP_ISA

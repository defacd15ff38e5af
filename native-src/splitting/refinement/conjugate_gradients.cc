#include "splitting/refinement/conjugate_gradients.h"

#include <array>
#include <vector>

namespace lockstep::splitting {
namespace {

template <int D>
double dot(const SensorSlices& slices, const std::vector<double>& a, const std::vector<double>& b) {
  const std::int32_t begin = slices.begin();
  return slices.sum<1>([&](std::int32_t sensor) {
    const std::size_t at = static_cast<std::size_t>(sensor - begin) * D;
    double sum = 0;
    for (std::size_t k = 0; k < D; ++k) sum += a[at + k] * b[at + k];
    return std::array<double, 1>{sum};
  })[0];
}

}  // namespace

template <int D>
Solution solve(const NormalMatrix<D>& matrix, const SensorSlices& slices, std::span<const double> gradient,
               double tolerance, int max_iterations, std::span<double> step) {
  const std::size_t length = gradient.size();
  std::vector<double> x(length), residual(length), z(length), direction(length), product(length);
  std::vector<double> everyone(step.size());
  for (std::size_t k = 0; k < length; ++k) residual[k] = -gradient[k];
  matrix.precondition(residual, z);
  direction = z;
  double square = dot<D>(slices, residual, z);
  const double target = tolerance * tolerance * square;

  Solution solution;
  while (square > target && solution.iterations < max_iterations) {
    slices.gather(direction, everyone, D);
    matrix.multiply(everyone, product);
    const double curvature = dot<D>(slices, direction, product);
    if (!(curvature > 0)) {
      solution.is_indefinite = true;
      break;
    }
    const double length_of_step = square / curvature;
    for (std::size_t k = 0; k < length; ++k) {
      x[k] += length_of_step * direction[k];
      residual[k] -= length_of_step * product[k];
    }
    solution.decrease += 0.5 * length_of_step * square;
    matrix.precondition(residual, z);
    const double next = dot<D>(slices, residual, z);
    for (std::size_t k = 0; k < length; ++k) direction[k] = z[k] + next / square * direction[k];
    square = next;
    ++solution.iterations;
  }
  slices.gather(x, step, D);
  return solution;
}

template Solution solve<2>(const NormalMatrix<2>&, const SensorSlices&, std::span<const double>, double, int,
                           std::span<double>);
template Solution solve<3>(const NormalMatrix<3>&, const SensorSlices&, std::span<const double>, double, int,
                           std::span<double>);

}  // namespace lockstep::splitting

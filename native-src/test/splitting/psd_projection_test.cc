#include "splitting/prox/psd_projection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "instruction_sets.h"
#include "splitting/prox/psd_projection_kernels.h"

namespace lockstep::splitting {
namespace {

constexpr std::uint64_t SEED = 20250101;

/// width × width, row by row.
using Matrix = std::vector<double>;

struct alignas(PSD_ALIGNMENT) Batch {
  double entries[PSD_MAX_WIDTH * PSD_MAX_WIDTH * PSD_LANES];
  double eigenvalues[PSD_MAX_WIDTH * PSD_LANES];

  void put(int width, std::size_t lane, const Matrix& matrix) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(width * width); ++i) {
      entries[i * PSD_LANES + lane] = matrix[i];
    }
  }
  Matrix matrix(int width, std::size_t lane) const {
    Matrix result(static_cast<std::size_t>(width * width));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = entries[i * PSD_LANES + lane];
    return result;
  }
  std::vector<double> sorted_eigenvalues(int width, std::size_t lane) const {
    std::vector<double> result;
    for (std::size_t k = 0; k < static_cast<std::size_t>(width); ++k) {
      result.push_back(eigenvalues[k * PSD_LANES + lane]);
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  void project(int width) { variant_in_use(variants_of_psd_kernels).project(entries, width, eigenvalues); }
};

Matrix product(const Matrix& a, const Matrix& b, int width) {
  const auto n = static_cast<std::size_t>(width);
  Matrix c(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return c;
}

/// Product of Householder reflections.
Matrix random_orthogonal(int width, std::mt19937_64& random) {
  const auto n = static_cast<std::size_t>(width);
  std::normal_distribution<double> normal;
  Matrix q(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) q[i * n + i] = 1;
  for (int round = 0; round < width; ++round) {
    std::vector<double> w(n);
    double square = 0;
    for (double& x : w) {
      x = normal(random);
      square += x * x;
    }
    Matrix reflection(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        reflection[i * n + j] = (i == j ? 1.0 : 0.0) - 2 * w[i] * w[j] / square;
      }
    }
    q = product(q, reflection, width);
  }
  return q;
}

/// Q Λ Qᵀ, symmetric to the last bit.
Matrix with_spectrum(const Matrix& q, const std::vector<double>& spectrum, int width) {
  const auto n = static_cast<std::size_t>(width);
  Matrix a(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      long double sum = 0;
      for (std::size_t k = 0; k < n; ++k) {
        sum += static_cast<long double>(q[i * n + k]) * q[j * n + k] * spectrum[k];
      }
      a[i * n + j] = a[j * n + i] = static_cast<double>(sum);
    }
  }
  return a;
}

Matrix random_symmetric(int width, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  const auto n = static_cast<std::size_t>(width);
  Matrix a(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) a[i * n + j] = a[j * n + i] = normal(random);
  }
  return a;
}

double largest_difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

class PsdProjection : public testing::Test {
 protected:
  PsdProjection() { RecordProperty("seed", static_cast<int>(SEED)); }
  std::mt19937_64 random_{SEED};
  Batch batch_{};
};

TEST_F(PsdProjection, FindsKnownEigenvaluesAndDropsTheNegativeOnes) {
  std::normal_distribution<double> normal;
  test::for_each_instruction_set([&] {
    for (int width : {1, 2, 3, 5, 8, 10, 11, 12, 31, 32}) {
      std::vector<Matrix> expected;
      std::vector<std::vector<double>> spectra;
      for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
        std::vector<double> spectrum(static_cast<std::size_t>(width));
        for (double& value : spectrum) value = normal(random_);
        const Matrix q = random_orthogonal(width, random_);
        batch_.put(width, lane, with_spectrum(q, spectrum, width));
        std::vector<double> positive = spectrum;
        for (double& value : positive) value = std::max(value, 0.0);
        expected.push_back(with_spectrum(q, positive, width));
        std::sort(spectrum.begin(), spectrum.end());
        spectra.push_back(spectrum);
      }
      batch_.project(width);
      for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
        EXPECT_LT(largest_difference(batch_.matrix(width, lane), expected[lane]), 1e-13) << width;
        const double norm = std::max(std::fabs(spectra[lane].front()), std::fabs(spectra[lane].back()));
        EXPECT_LT(largest_difference(batch_.sorted_eigenvalues(width, lane), spectra[lane]), 1e-13 * norm);
      }
    }
  });
}

TEST_F(PsdProjection, SeparatesClustersAndScales) {
  const int width = 10;
  const std::vector<double> spectrum = {1e6, 1e6, 1 + 1e-9, 1, 1, 1e-7, 0, 0, -1e-3, -5e5};
  const Matrix q = random_orthogonal(width, random_);
  std::vector<double> positive = spectrum, sorted = spectrum;
  for (double& value : positive) value = std::max(value, 0.0);
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
    batch_.put(width, lane, with_spectrum(q, spectrum, width));
  }
  batch_.project(width);
  EXPECT_LT(largest_difference(batch_.sorted_eigenvalues(width, 3), sorted), 1e-12 * 1e6);
  EXPECT_LT(largest_difference(batch_.matrix(width, 3), with_spectrum(q, positive, width)), 1e-12 * 1e6);
}

TEST_F(PsdProjection, LeavesAMatrixWithoutNegativeEigenvaluesAlone) {
  const int width = 7;
  const std::vector<double> spectrum = {5, 4, 3, 2, 1, 0.5, 0.1};
  const Matrix matrix = with_spectrum(random_orthogonal(width, random_), spectrum, width);
  for (std::size_t lane = 0; lane < PSD_LANES; ++lane) batch_.put(width, lane, matrix);
  project_psd(batch_.entries, width);
  EXPECT_EQ(batch_.matrix(width, 0), matrix);
}

TEST_F(PsdProjection, OfALaneDependsNeitherOnTheOthersNorOnTheInstructionSet) {
  const int width = 10;
  std::vector<Matrix> matrices;
  for (std::size_t i = 0; i < PSD_LANES; ++i) matrices.push_back(random_symmetric(width, random_));
  matrices[1] = Matrix(width * width, 0.0);  // has converged at once
  for (std::size_t i = 0; i < width; ++i) matrices[2][i * width + i] += 1e8;
  std::vector<Matrix> first;
  test::for_each_instruction_set([&] {
    for (std::size_t shift = 0; shift < PSD_LANES; ++shift) {
      for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
        // Later rounds have one matrix beside copies of another only.
        batch_.put(width, lane, lane <= shift ? matrices[lane] : matrices[1]);
      }
      project_psd(batch_.entries, width);
      for (std::size_t lane = 0; lane <= shift; ++lane) {
        const Matrix result = batch_.matrix(width, lane);
        if (first.size() <= lane) first.push_back(result);
        ASSERT_EQ(std::memcmp(result.data(), first[lane].data(), result.size() * sizeof(double)), 0)
            << "lane " << lane << " beside " << shift;
      }
    }
  });
}

TEST_F(PsdProjection, EndsWhereTheInputIsNotFinite) {
  const int width = 4;
  Matrix matrix(width * width, NAN);
  for (std::size_t lane = 0; lane < PSD_LANES; ++lane) batch_.put(width, lane, matrix);
  batch_.put(width, 1, Matrix(width * width, 1.0));
  project_psd(batch_.entries, width);
  EXPECT_TRUE(std::isnan(batch_.matrix(width, 0)[0]));
  EXPECT_EQ(batch_.matrix(width, 1)[3], 1.0);
}

}  // namespace
}  // namespace lockstep::splitting

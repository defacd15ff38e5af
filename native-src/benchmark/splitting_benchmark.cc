// Localisation by splitting: the projection of small matrices beside LAPACK's dsyev.
// Usage: taskset -c 0 splitting_benchmark [rounds]
// Prints minimum, median and maximum over the rounds.

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include "splitting/psd_projection.h"

namespace lockstep::splitting {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Spread {
  std::vector<double> values;

  void print(const char* what) {
    std::sort(values.begin(), values.end());
    std::printf("  %s %.3f / %.3f / %.3f", what, values.front(), values[values.size() / 2], values.back());
  }
};

using Dsyev = void (*)(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w,
                       double* work, const int* lwork, int* info);

// The peer as a user would have it: OpenBLAS with the kernels of this CPU, on one thread.
Dsyev find_dsyev() {
  unsetenv("OPENBLAS_CORETYPE");
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  for (const char* library : {"libopenblas.so.0", "liblapack.so.3"}) {
    if (void* handle = dlopen(library, RTLD_NOW)) {
      if (void* symbol = dlsym(handle, "dsyev_")) {
        std::printf("peer: dsyev_ of %s\n", library);
        return reinterpret_cast<Dsyev>(symbol);
      }
    }
  }
  std::printf("peer: no OpenBLAS or LAPACK here\n");
  return nullptr;
}

struct alignas(PSD_ALIGNMENT) Batch {
  double entries[PSD_MAX_WIDTH * PSD_MAX_WIDTH * PSD_LANES];
};

void measure_projection(int width, int rounds, Dsyev dsyev) {
  constexpr std::size_t BATCHES = 100;
  constexpr double MATRICES = BATCHES * PSD_LANES;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const auto n = static_cast<std::size_t>(width);
  std::vector<Batch> given(BATCHES);
  for (Batch& batch : given) {
    for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
      for (std::size_t row = 0; row < n; ++row) {
        for (std::size_t column = row; column < n; ++column) {
          batch.entries[(row * n + column) * PSD_LANES + lane] =
              batch.entries[(column * n + row) * PSD_LANES + lane] = normal(random);
        }
      }
    }
  }
  Spread ours, peers, ratios;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Batch> batches = given;
    ours.values.push_back(seconds_of([&] {
                            for (Batch& batch : batches) project_psd(batch.entries, width);
                          }) /
                          MATRICES * 1e6);
    if (dsyev == nullptr) continue;
    // Eigenvalues and vectors alone: the peer is not even asked to put the matrix together again.
    std::vector<double> matrices, values(n), space(34 * n);
    for (const Batch& batch : given) {
      for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
        for (std::size_t i = 0; i < n * n; ++i) matrices.push_back(batch.entries[i * PSD_LANES + lane]);
      }
    }
    const int size = static_cast<int>(space.size());
    int info = 0;
    peers.values.push_back(seconds_of([&] {
                             for (std::size_t at = 0; at < matrices.size(); at += n * n) {
                               dsyev("V", "U", &width, &matrices[at], &width, values.data(), space.data(),
                                     &size, &info);
                             }
                           }) /
                           MATRICES * 1e6);
    ratios.values.push_back(peers.values.back() / ours.values.back());
  }
  std::printf("projection %2d x %-2d", width, width);
  ours.print("µs a matrix");
  if (dsyev != nullptr) {
    peers.print(" dsyev");
    ratios.print(" ratio");
  }
  std::printf("\n");
}

}  // namespace
}  // namespace lockstep::splitting

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
  const auto dsyev = lockstep::splitting::find_dsyev();
  for (int width : {5, 8, 10, 12}) lockstep::splitting::measure_projection(width, rounds, dsyev);
  return 0;
}

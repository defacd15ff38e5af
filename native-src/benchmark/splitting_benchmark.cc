// Localisation by splitting: the projection of small matrices beside LAPACK's dsyev, and the iteration.
// Usage: splitting_benchmark [rounds [sensors …]]
// Prints minimum, median and maximum over the rounds for the first, and how fast the sparse form iterates.

#include <dlfcn.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "collective/backend/transport_backend.h"
#include "splitting/prox/psd_projection.h"
#include "splitting/splitting.h"
#include "test/ranks.h"

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

// On a jittered grid, so that no sensor is left without neighbours; one anchor for twenty sensors, and a
// range for about ten sensors within it.
Network jittered_grid(std::int32_t sensors) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<double> normal;
  const auto side = static_cast<std::int32_t>(std::ceil(std::sqrt(sensors)));
  const double spacing = 1.0 / side, reach = 1.8 * spacing;
  std::vector<double> points;
  for (std::int32_t i = 0; i < sensors; ++i) {
    points.push_back((i % side + 0.2 + 0.6 * uniform(random)) * spacing);
    points.push_back((i / side + 0.2 + 0.6 * uniform(random)) * spacing);
  }
  Network network;
  network.sensors = sensors;
  const std::int32_t anchors = std::max(6, sensors / 20);
  for (std::int32_t k = 0; k < 2 * anchors; ++k) network.anchor_positions.push_back(uniform(random));
  const auto measured = [&](const double* a, const double* b) {
    const double range = std::hypot(a[0] - b[0], a[1] - b[1]);
    return range <= reach ? range * (1 + 0.05 * normal(random)) : -1;
  };
  for (std::int32_t i = 0; i < sensors; ++i) {
    for (std::int32_t row = i / side; row <= std::min(i / side + 3, (sensors - 1) / side); ++row) {
      for (std::int32_t column = std::max(0, i % side - 3); column <= std::min(side - 1, i % side + 3);
           ++column) {
        const std::int32_t j = row * side + column;
        if (j <= i || j >= sensors) continue;
        const double range = measured(&points[2 * i], &points[2 * j]);
        if (range >= 0) network.sensor_ranges.push_back({i, j, range});
      }
    }
  }
  for (std::int32_t k = 0; k < anchors; ++k) {
    const double* anchor = &network.anchor_positions[2 * k];
    const auto column = static_cast<std::int32_t>(anchor[0] / spacing);
    const auto row = static_cast<std::int32_t>(anchor[1] / spacing);
    for (std::int32_t r = std::max(0, row - 3); r <= row + 3; ++r) {
      for (std::int32_t c = std::max(0, column - 3); c <= std::min(side - 1, column + 3); ++c) {
        const std::int32_t i = r * side + c;
        if (i >= sensors) continue;
        const double range = measured(&points[2 * i], anchor);
        if (range >= 0) network.anchor_ranges.push_back({i, k, range});
      }
    }
  }
  return checked(std::move(network), 7);
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

long resident_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Ranks are threads that share memory.
void measure_iterations(std::int32_t sensors, int ranks) {
  const Network network = jittered_grid(sensors);
  const int iterations = std::clamp(3000000 / sensors / 10, 20, 500);
  test::run_as_ranks(
      ranks,
      [&](int rank) {
        auto transport = test::join_in_process_only(std::to_string(sensors), rank, ranks);
        if (ranks > 1) transport = test::share_memory_of(*transport, {});
        auto group = std::make_shared<Communicator>(make_backend(std::move(transport)), 600);
        std::unique_ptr<Splitting> splitting;
        const double setup = seconds_of([&] { splitting = make_sparse(group, network, {}); });
        splitting->advance(5);
        const double before = processor_seconds();
        const double seconds = seconds_of([&] { splitting->advance(iterations); });
        const double worked = processor_seconds() - before;
        if (rank != 0) return;
        std::printf(
            "n = %6d, %d rank(s): %9.1f iterations/s, %6.2f µs a node-iteration and rank, %6.2f of processor "
            "time, set-up %.2f s, "
            "%ld MiB in all\n",
            sensors, ranks, iterations / seconds, seconds / iterations / sensors * ranks * 1e6,
            worked / iterations / sensors * 1e6, setup, resident_mebibytes());
      },
      600);
}

}  // namespace
}  // namespace lockstep::splitting

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
  const auto dsyev = lockstep::splitting::find_dsyev();
  for (int width : {5, 8, 10, 12}) lockstep::splitting::measure_projection(width, rounds, dsyev);
  std::vector<int> sizes;
  for (int i = 2; i < count; ++i) sizes.push_back(std::atoi(arguments[i]));
  if (sizes.empty()) sizes = {30, 250, 1000, 10000, 100000};
  for (int sensors : sizes) {
    for (int ranks : {1, 2}) lockstep::splitting::measure_iterations(sensors, ranks);
  }
  return 0;
}

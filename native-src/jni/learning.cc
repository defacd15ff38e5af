#include "lockstep/learning.h"

#include <memory>
#include <string>

#include "jni/boundary.h"
#include "jni/communicators.h"
#include "jni/network_arguments.h"
#include "learning/k_means/k_means.h"

namespace lockstep {
namespace {

using gradient::Arguments;
using learning::Acceleration;
using learning::k_means_runs;
using learning::LloydStep;

Acceleration acceleration_of(const Arguments& arguments, std::int32_t code) {
  if (code < 0 || code > static_cast<std::int32_t>(Acceleration::YINYANG)) {
    arguments.refuse("acceleration", std::to_string(code), "must be a code from 0 to 3");
  }
  return static_cast<Acceleration>(code);
}

}  // namespace

std::int64_t open_k_means(std::int64_t communicator, std::int64_t rows, std::int32_t dimension,
                          std::int64_t values, std::int64_t weights) {
  return at_boundary([&] {
    const Arguments arguments("open_k_means");
    arguments.at_least_one("dimension", dimension);
    const std::size_t count = arguments.count(rows), columns = static_cast<std::size_t>(dimension);
    return k_means_runs().insert(std::make_shared<learning::KMeans>(
        communicators().find(communicator).share(),
        elements_at<const double>(arguments, "values", values, count * columns), columns,
        elements_at<const double>(arguments, "weights", weights, weights == 0 ? 0 : count)));
  });
}

void seed_k_means(std::int64_t run, std::int32_t seeding, std::int32_t clusters, double oversampling,
                  std::int32_t rounds, std::int64_t seed, std::int32_t acceleration) {
  at_boundary([&] {
    const Arguments arguments("seed_k_means");
    arguments.at_least_one("clusters", clusters);
    arguments.at_least_one("rounds", rounds);
    arguments.finite_and_not_negative("oversampling", oversampling);
    if (seeding < 0 || seeding > 2)
      arguments.refuse("seeding", std::to_string(seeding), "must be a code from 0 to 2");
    k_means_runs().find(run)->seed({static_cast<learning::Seeding>(seeding), clusters, oversampling, rounds,
                                    static_cast<std::uint64_t>(seed)},
                                   acceleration_of(arguments, acceleration));
  });
}

void start_k_means(std::int64_t run, std::int32_t clusters, std::int64_t centres, bool scaled,
                   std::int64_t seen, std::int32_t acceleration) {
  at_boundary([&] {
    const Arguments arguments("start_k_means");
    arguments.at_least_one("clusters", clusters);
    const auto open = k_means_runs().find(run);
    const auto count = static_cast<std::size_t>(clusters);
    const auto given = elements_at<const double>(arguments, "centres", centres, count * open->dimension());
    for (const double coordinate : given) arguments.finite("a coordinate in centres", coordinate);
    open->start(given, scaled,
                elements_at<const std::int64_t>(arguments, "seen", seen, seen == 0 ? 0 : count),
                acceleration_of(arguments, acceleration));
  });
}

void advance_k_means(std::int64_t run, std::int64_t seed, std::int64_t iteration, double batch_share,
                     std::int64_t progress) {
  at_boundary([&] {
    const Arguments arguments("advance_k_means");
    if (!(batch_share > 0 && batch_share <= 1)) {
      arguments.refuse("batch_share", std::to_string(batch_share), "must be above 0 and at most 1");
    }
    const auto out = elements_at<double>(arguments, "progress", progress, 4);
    const auto open = k_means_runs().find(run);
    const LloydStep step = batch_share == 1
                               ? open->step()
                               : open->batch_step(static_cast<std::uint64_t>(seed), iteration, batch_share);
    out[0] = step.cost;
    out[1] = static_cast<double>(step.changed);
    out[2] = static_cast<double>(step.repaired);
    out[3] = step.shift;
  });
}

double label_k_means(std::int64_t run) {
  return at_boundary([&] { return k_means_runs().find(run)->label(); });
}

double k_means_silhouette(std::int64_t run, std::int32_t sample, std::int64_t seed) {
  return at_boundary([&] {
    Arguments("k_means_silhouette").at_least_one("sample", sample);
    return k_means_runs().find(run)->silhouette(sample, static_cast<std::uint64_t>(seed));
  });
}

void read_k_means_centres(std::int64_t run, bool scaled, std::int64_t out) {
  at_boundary([&] {
    const auto open = k_means_runs().find(run);
    const Arguments arguments("read_k_means_centres");
    open->read_centres(elements_at<double>(arguments, "out", out, open->count() * open->dimension()), scaled);
  });
}

void read_k_means_seen(std::int64_t run, std::int64_t out) {
  at_boundary([&] {
    const auto open = k_means_runs().find(run);
    open->read_seen(elements_at<std::int64_t>(Arguments("read_k_means_seen"), "out", out, open->count()));
  });
}

void read_k_means_labels(std::int64_t run, std::int64_t out) {
  at_boundary([&] {
    const auto open = k_means_runs().find(run);
    open->read_labels(elements_at<std::int32_t>(Arguments("read_k_means_labels"), "out", out, open->rows()));
  });
}

void read_k_means_data(std::int64_t run, std::int64_t out) {
  at_boundary([&] {
    const auto open = k_means_runs().find(run);
    const auto values = elements_at<double>(Arguments("read_k_means_data"), "out", out, 2);
    values[0] = static_cast<double>(open->all_rows());
    values[1] = open->mean_variance();
  });
}

void close_k_means(std::int64_t run) {
  at_boundary([&] { k_means_runs().remove(run, [](learning::KMeans&) {}); });
}

}  // namespace lockstep

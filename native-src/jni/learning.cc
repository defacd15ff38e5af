#include "lockstep/learning.h"

#include <algorithm>
#include <memory>
#include <string>

#include "jni/boundary.h"
#include "jni/communicators.h"
#include "jni/network_arguments.h"
#include "learning/k_means/k_means.h"
#include "learning/trees/tree_run.h"

namespace lockstep {
namespace {

using gradient::Arguments;
using learning::Acceleration;
using learning::k_means_runs;
using learning::LloydStep;
using learning::tree_runs;

Acceleration acceleration_of(const Arguments& arguments, std::int32_t code) {
  if (code < 0 || code > static_cast<std::int32_t>(Acceleration::YINYANG)) {
    arguments.refuse("acceleration", std::to_string(code), "must be a code from 0 to 3");
  }
  return static_cast<Acceleration>(code);
}

std::int32_t whole(const Arguments& arguments, const char* name, double value, double least, double most) {
  if (!(value >= least && value <= most)) {
    arguments.refuse(name, std::to_string(value),
                     "must be from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<std::int32_t>(value);
}

std::vector<std::int32_t> directions(const Arguments& arguments, std::int64_t monotone,
                                     std::size_t features) {
  const auto values =
      elements_at<const std::int32_t>(arguments, "monotone", monotone, monotone == 0 ? 0 : features);
  for (const std::int32_t direction : values) {
    if (direction < -1 || direction > 1) {
      arguments.refuse("monotone", std::to_string(direction), "must be -1, 0 or 1");
    }
  }
  return {values.begin(), values.end()};
}

learning::BoostingOptions boosting_options(const Arguments& arguments, std::span<const double> values) {
  learning::BoostingOptions options;
  for (const double value : values) arguments.finite("an option", value);
  options.learning_rate = values[0];
  options.bagging_fraction = values[1];
  options.tree.num_leaves = whole(arguments, "num_leaves", values[2], 2, 1 << 20);
  options.tree.max_depth = whole(arguments, "max_depth", values[3], -1, 1 << 20);
  options.tree.min_data_in_leaf = whole(arguments, "min_data_in_leaf", values[4], 0, 1 << 30);
  options.tree.min_sum_hessian_in_leaf = values[5];
  options.tree.lambda_l2 = values[6];
  options.tree.min_gain_to_split = values[7];
  options.tree.feature_fraction = values[8];
  options.tree.feature_fraction_bynode = values[9];
  options.tree.cat_smooth = values[10];
  options.tree.cat_l2 = values[11];
  options.tree.depth_wise = values[12] != 0;
  options.measures_training = values[13] != 0;
  for (std::size_t i = 5; i < 12; ++i) arguments.finite_and_not_negative("an option", values[i]);
  return options;
}

learning::TreeOptions forest_options(const Arguments& arguments, std::span<const double> values) {
  learning::TreeOptions options;
  options.max_depth = whole(arguments, "max_depth", values[0], -1, 1 << 20);
  options.min_data_in_leaf = whole(arguments, "min_data_in_leaf", values[1], 0, 1 << 30);
  options.min_gain_to_split = values[2];
  options.feature_fraction_bynode = values[3];
  options.cat_smooth = 0;
  options.min_sum_hessian_in_leaf = 0;
  options.cat_l2 = 0;
  for (std::size_t i = 2; i < 4; ++i) arguments.finite_and_not_negative("an option", values[i]);
  return options;
}

void check_objective(const Arguments& arguments, std::int32_t objective, std::int32_t classes,
                     std::int32_t most) {
  if (objective < 0 || objective > 2)
    arguments.refuse("objective", std::to_string(objective), "must be a code from 0 to 2");
  if (objective == 2 && (classes < 2 || classes > most)) {
    arguments.refuse("classes", std::to_string(classes), "must be from 2 to " + std::to_string(most));
  }
}

void write_loss(const Arguments& arguments, const learning::BoostingLoss& loss, std::int64_t address) {
  const auto out = elements_at<double>(arguments, "loss", address, 2);
  out[0] = loss.training;
  out[1] = loss.validation;
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

std::int64_t open_trees(std::int64_t communicator, std::int64_t rows, std::int32_t features,
                        std::int64_t values, std::int64_t target, std::int64_t weights,
                        std::int64_t categorical, std::int32_t max_bins, double validation,
                        std::int64_t seed) {
  return at_boundary([&] {
    const Arguments arguments("open_trees");
    arguments.at_least_one("features", features);
    const std::size_t count = arguments.count(rows), columns = static_cast<std::size_t>(features);
    if (max_bins < 2 || max_bins > learning::MAX_BINS) {
      arguments.refuse("max_bins", std::to_string(max_bins), "must be from 2 to 255");
    }
    arguments.fraction("validation", validation);
    const auto flags = elements_at<const char>(arguments, "categorical", categorical, columns);
    return tree_runs().insert(std::make_shared<learning::TreeRun>(
        communicators().find(communicator).share(),
        elements_at<const double>(arguments, "values", values, count * columns), columns,
        elements_at<const double>(arguments, "target", target, count),
        elements_at<const double>(arguments, "weights", weights, weights == 0 ? 0 : count),
        std::vector<char>(flags.begin(), flags.end()), max_bins, validation,
        static_cast<std::uint64_t>(seed)));
  });
}

void start_boosting(std::int64_t run, std::int32_t objective, std::int32_t classes, std::int64_t seed,
                    std::int64_t options, std::int64_t monotone) {
  at_boundary([&] {
    const Arguments arguments("start_boosting");
    check_objective(arguments, objective, classes, 10000);
    const auto open = tree_runs().find(run);
    learning::BoostingOptions all =
        boosting_options(arguments, elements_at<const double>(arguments, "options", options, 14));
    all.tree.monotone = directions(arguments, monotone, open->data().features());
    all.objective = static_cast<learning::Objective>(objective);
    all.classes = objective == 2 ? classes : 1;
    all.seed = static_cast<std::uint64_t>(seed);
    open->start(std::move(all));
  });
}

void start_forest(std::int64_t run, std::int32_t objective, std::int32_t classes, std::int64_t seed,
                  std::int64_t options, std::int64_t monotone) {
  at_boundary([&] {
    const Arguments arguments("start_forest");
    check_objective(arguments, objective, classes, 1000);
    if (objective != 0 && monotone != 0)
      arguments.refuse("monotone", std::to_string(monotone), "must be 0 where classes are predicted");
    const auto open = tree_runs().find(run);
    learning::ForestOptions all;
    all.tree = forest_options(arguments, elements_at<const double>(arguments, "options", options, 4));
    all.tree.monotone = directions(arguments, monotone, open->data().features());
    all.objective = static_cast<learning::Objective>(objective);
    all.classes = objective == 2 ? classes : 1;
    all.seed = static_cast<std::uint64_t>(seed);
    open->start(std::move(all));
  });
}

std::int64_t grow_forest(std::int64_t run, std::int64_t most) {
  return at_boundary([&] {
    const auto open = tree_runs().find(run);
    open->grow(most);
    return open->trees();
  });
}

void measure_forest(std::int64_t run, std::int64_t score) {
  at_boundary([&] {
    const auto out = elements_at<double>(Arguments("measure_forest"), "score", score, 2);
    const learning::ForestScore measured = tree_runs().find(run)->score();
    out[0] = measured.out_of_bag;
    out[1] = measured.validation;
  });
}

void permutation_importance(std::int64_t run, std::int64_t trees, std::int64_t sample, std::int64_t seed,
                            std::int64_t out) {
  at_boundary([&] {
    const Arguments arguments("permutation_importance");
    arguments.count(trees);
    arguments.at_least_one("sample", sample);
    const auto open = tree_runs().find(run);
    const auto falls = elements_at<double>(arguments, "out", out, open->data().features());
    std::ranges::copy(open->permutation_importance(trees, sample, static_cast<std::uint64_t>(seed)),
                      falls.begin());
  });
}

void boost(std::int64_t run, std::int64_t round, std::int64_t loss) {
  at_boundary([&] { write_loss(Arguments("boost"), tree_runs().find(run)->round(round), loss); });
}

void measure_boosting(std::int64_t run, std::int64_t loss) {
  at_boundary([&] { write_loss(Arguments("measure_boosting"), tree_runs().find(run)->loss(), loss); });
}

double boosting_auc(std::int64_t run) {
  return at_boundary([&] { return tree_runs().find(run)->area_under_curve(); });
}

void read_initial_scores(std::int64_t run, std::int64_t out) {
  at_boundary([&] {
    const std::vector<double> initial = tree_runs().find(run)->initial();
    std::ranges::copy(
        initial, elements_at<double>(Arguments("read_initial_scores"), "out", out, initial.size()).begin());
  });
}

std::int64_t tree_length(std::int64_t run, std::int64_t tree) {
  return at_boundary([&] {
    return static_cast<std::int64_t>(
        tree_runs().find(run)->encoded(Arguments("tree_length").count(tree)).size());
  });
}

void read_tree(std::int64_t run, std::int64_t tree, std::int64_t out, std::int64_t length) {
  at_boundary([&] {
    const Arguments arguments("read_tree");
    const std::vector<double> values = tree_runs().find(run)->encoded(arguments.count(tree));
    if (arguments.count(length) != values.size()) {
      arguments.refuse("length", std::to_string(length), "must be what tree_length() gave");
    }
    std::ranges::copy(values, elements_at<double>(arguments, "out", out, values.size()).begin());
  });
}

void add_tree(std::int64_t run, std::int64_t values, std::int64_t length) {
  at_boundary([&] {
    const Arguments arguments("add_tree");
    tree_runs().find(run)->add(
        elements_at<const double>(arguments, "values", values, arguments.count(length)));
  });
}

void close_trees(std::int64_t run) {
  at_boundary([&] { tree_runs().remove(run, [](learning::TreeRun&) {}); });
}

}  // namespace lockstep

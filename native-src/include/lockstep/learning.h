#pragma once

/// @file
/// k-means and trees over the rows of all ranks. Results are functions of data, settings and seed alone:
/// neither the number of ranks, nor where rows lie, nor the transport changes a bit of them. Arrays are
/// row-major. Errors are INVALID_ARGUMENT for what cannot be right, and those of the communicator. Every
/// function but read_… and close_… is collective over the communicator, which must stay open.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// Takes this rank's rows (copied, as f32 relative to the columns' means).
/// @param values f64[rows × dimension], all finite; rows may be 0 where other ranks have some
/// @param weights f64[rows], or 0 for equal weights
/// @return a handle for the functions below
LOCKSTEP_API std::int64_t open_k_means(std::int64_t communicator, std::int64_t rows, std::int32_t dimension,
                                       std::int64_t values, std::int64_t weights);

/// Chooses initial centres. @param seeding 0 k-means||, 1 k-means++, 2 random rows
/// @param acceleration 0 automatic, 1 none, 2 Hamerly, 3 Yinyang; the results are the same
LOCKSTEP_API void seed_k_means(std::int64_t run, std::int32_t seeding, std::int32_t clusters,
                               double oversampling, std::int32_t rounds, std::int64_t seed,
                               std::int32_t acceleration);

/// Begins from centres f64[clusters × dimension]: in the data's units, or scaled as read_k_means_centres gave
/// them.
/// @param seen i64[clusters] of read_k_means_seen, or 0
LOCKSTEP_API void start_k_means(std::int64_t run, std::int32_t clusters, std::int64_t centres, bool scaled,
                                std::int64_t seen, std::int32_t acceleration);

/// One iteration. @param batch_share 1 for Lloyd's, otherwise the share of the rows in a mini-batch
/// @param progress f64[4]: cost before the centres moved, rows with a new label, clusters repaired, squared
/// movement
LOCKSTEP_API void advance_k_means(std::int64_t run, std::int64_t seed, std::int64_t iteration,
                                  double batch_share, std::int64_t progress);

/// Labels the rows by the centres as they are. @return the cost, Σ weight × squared distance
LOCKSTEP_API double label_k_means(std::int64_t run);

/// Mean silhouette of a sample of rows, after label_k_means(); NaN where it falls into one cluster.
LOCKSTEP_API double k_means_silhouette(std::int64_t run, std::int32_t sample, std::int64_t seed);

/// @param out f64[clusters × dimension]
LOCKSTEP_API void read_k_means_centres(std::int64_t run, bool scaled, std::int64_t out);
/// Weight that mini-batches brought each centre. @param out i64[clusters]
LOCKSTEP_API void read_k_means_seen(std::int64_t run, std::int64_t out);
/// @param out i32[rows]
LOCKSTEP_API void read_k_means_labels(std::int64_t run, std::int64_t out);
/// @param out f64[2]: rows of all ranks, mean over columns of their variance
LOCKSTEP_API void read_k_means_data(std::int64_t run, std::int64_t out);

/// Idempotent.
LOCKSTEP_API void close_k_means(std::int64_t run);

/// Takes this rank's rows as bins of exact quantiles (copied).
/// @param values f64[rows × features], NaN where missing; a category is a whole number from 0 on
/// @param target f64[rows]; @param weights f64[rows], or 0 for equal weights
/// @param categorical u8[features], 1 for categories
/// @param max_bins 2 … 255; @param validation share of rows that are held out, by a hash of each row
LOCKSTEP_API std::int64_t open_trees(std::int64_t communicator, std::int64_t rows, std::int32_t features,
                                     std::int64_t values, std::int64_t target, std::int64_t weights,
                                     std::int64_t categorical, std::int32_t max_bins, double validation,
                                     std::int64_t seed);

/// Begins to boost. @param objective 0 regression, 1 binary, 2 multiclass of so many classes
/// @param options f64[14]: learning_rate, bagging_fraction, num_leaves, max_depth, min_data_in_leaf,
/// min_sum_hessian_in_leaf, lambda_l2, min_gain_to_split, feature_fraction, feature_fraction_bynode,
/// cat_smooth, cat_l2, 1 for depth-wise growth, 1 for the training loss of each round
/// @param monotone i32[features] of -1, 0 and 1, or 0
LOCKSTEP_API void start_boosting(std::int64_t run, std::int32_t objective, std::int32_t classes,
                                 std::int64_t seed, std::int64_t options, std::int64_t monotone);

/// Grows one tree, or one for each class. @param loss f64[2]: of the fitted and of the held-out rows, NaN for
/// none
LOCKSTEP_API void boost(std::int64_t run, std::int64_t round, std::int64_t loss);
/// @param loss as of boost()
LOCKSTEP_API void measure_boosting(std::int64_t run, std::int64_t loss);
/// Area under the ROC curve of the held-out rows, or of all where none are; of the binary objective.
LOCKSTEP_API double boosting_auc(std::int64_t run);

/// Begins a forest; every rank then holds the fitted rows of all as bins, a byte a value.
/// @param objective, classes, monotone as of start_boosting(), but monotone is 0 for classes
/// @param options f64[4]: max_depth, min_data_in_leaf, min_gain_to_split, feature_fraction_bynode
LOCKSTEP_API void start_forest(std::int64_t run, std::int32_t objective, std::int32_t classes,
                               std::int64_t seed, std::int64_t options, std::int64_t monotone);

/// Grows the next trees, one on each rank, but none of number `most` or above.
/// @return how many trees there are
LOCKSTEP_API std::int64_t grow_forest(std::int64_t run, std::int64_t most);
/// @param score f64[2]: out of bag and of the held-out rows, the share of right classes or R²; NaN for none
LOCKSTEP_API void measure_forest(std::int64_t run, std::int64_t score);

/// By how much the share of right classes, or R², falls where a feature's values are exchanged among rows.
/// @param trees how many of them predict; @param sample rows that are scored, of those held out if any are
/// @param out f64[features]
LOCKSTEP_API void permutation_importance(std::int64_t run, std::int64_t trees, std::int64_t sample,
                                         std::int64_t seed, std::int64_t out);

/// @param out f64[classes, 1 unless multiclass]: the scores before the first tree of boosting
LOCKSTEP_API void read_initial_scores(std::int64_t run, std::int64_t out);
/// @return f64 that read_tree() writes
LOCKSTEP_API std::int64_t tree_length(std::int64_t run, std::int64_t tree);
/// Nodes, leaves; for each node feature, threshold, left, right (~leaf where negative), categorical,
/// missing_left, gain, rows, number of codes, codes that go left; for each leaf value (of a multiclass forest
/// one for each class), rows.
LOCKSTEP_API void read_tree(std::int64_t run, std::int64_t tree, std::int64_t out, std::int64_t length);
/// Takes a tree of an earlier run as the next one, in place of growing it.
LOCKSTEP_API void add_tree(std::int64_t run, std::int64_t values, std::int64_t length);

/// Idempotent.
LOCKSTEP_API void close_trees(std::int64_t run);

}  // namespace lockstep

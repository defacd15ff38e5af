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

}  // namespace lockstep

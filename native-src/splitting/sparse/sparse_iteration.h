#pragma once

/// @file
/// One rank's part of the iteration in the sparse form.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/prox/inexact_prox.h"
#include "splitting/prox/psd_projection.h"
#include "splitting/sparse/exchange.h"
#include "splitting/sparse/sparse_problem.h"

namespace lockstep::splitting {

/// What a step says of one sensor.
struct Measure {
  static constexpr std::size_t OBJECTIVE = 0;  ///< g_i(y_i)
  static constexpr std::size_t CHANGE = 1;  ///< ‖2x_i − t_i‖² + ‖2y_i − s_i‖², what the duals move by
  static constexpr std::size_t SIZE = 2;  ///< ‖x_i‖² + ‖y_i‖²
};

/// Variables x, v (positive semidefinite blocks) and y, u (data terms), by slot. Collective: all ranks call
/// the same.
class SparseIteration {
 public:
  /// @param group, problem kept by reference
  SparseIteration(Communicator& group, const SparseProblem& problem, const Options& options);

  /// v = S0 and u = −S0, x = y = S0.
  /// @param positions sensors × d; empty: S0 = blkdiag(I, 0)
  void start(std::span<const double> positions);

  void step();

  /// Of own places, after a step.
  std::span<const std::array<double, 3>> measures() const { return measures_; }

  /// Of x and y over an entry's holders; the slot's sensor must be a neighbour of all others.
  double mean(std::int32_t slot) const;

  std::span<double> v() { return v_; }
  std::span<double> u() { return u_; }

  /// Fetches others' copies of any values by slot. @param values of length all_slots
  void exchange(std::span<double> values);

 private:
  struct Batch {
    std::array<std::int32_t, PSD_LANES> places;
    int count, width;
    bool at_boundary;  ///< whether other ranks wait for one of them
  };

  void find_boundary();
  void make_batches();
  void pass_relayed(std::int32_t place);
  void project(std::span<const Batch> batches);
  void fit_data(std::span<const std::int32_t> places);
  void fit_data(std::int32_t place);
  void take_prox_step(std::size_t own, std::span<double> xi);
  void move_v(std::span<const std::int32_t> places);

  const SparseProblem& problem_;
  const Options options_;
  std::vector<std::int32_t> boundary_, interior_;  ///< places that do and do not mix others' copies
  std::vector<Batch> boundary_batches_, interior_batches_;
  std::vector<double> x_, y_;  ///< own slots, then copies
  std::vector<double> v_, u_;
  std::vector<std::array<double, 3>> measures_;
  std::vector<std::int32_t> data_slots_;
  std::vector<std::int64_t> first_data_slots_, first_duals_;  ///< own places + 1
  std::vector<double> duals_;                                 ///< of the exact proxes
  std::vector<InexactProx> inexact_;                          ///< of own places, where asked for
  /// How often an entry is in a block, by its number there: twice off the diagonal.
  std::vector<double> multiplicities_;
  std::vector<double> mixed_, xi_;
  Exchange exchange_;  ///< last: its end waits for what still arrives in x_ and y_
};

}  // namespace lockstep::splitting
